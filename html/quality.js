// SPDX-License-Identifier: Apache-2.0
// quality.js: figures of a running call from RTCPeerConnection.getStats(), once a second.
// digest() is pure (two stats reports in, figures out), so that it is tested without a browser.

import { estimate } from './mos.js';

const PERIOD_MS = 1000;

/** Figures of the newest interval.
 *  @param report    iterable of RTCStats objects (a Map's values, or an array)
 *  @param before    what the previous digest() returned as `raw`, or null
 *  @return {codec, rttMs, jitterMs, loss, inKbps, outKbps, bufferMs, mos, word, key, video, route, srtp, raw};
 *          unknown figures are null; `loss` is a ratio of this interval */
export function digest(report, before = null) {
  const stats = [...(report.values?.() ?? report)];
  const byId = new Map(stats.map((entry) => [entry.id, entry]));
  const inbound = pick(stats, 'inbound-rtp', 'audio');
  const outbound = pick(stats, 'outbound-rtp', 'audio');
  const remote = pick(stats, 'remote-inbound-rtp', 'audio');
  const transport = stats.find((entry) => entry.type === 'transport');
  const pair = byId.get(transport?.selectedCandidatePairId)
    ?? stats.find((entry) => entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded');
  const raw = rawCounters(stats, inbound, outbound);

  const figures = {
    codec: codecName(byId.get(inbound?.codecId) ?? byId.get(outbound?.codecId)),
    rttMs: firstMs(remote?.roundTripTime, pair?.currentRoundTripTime),
    jitterMs: firstMs(inbound?.jitter),
    theirJitterMs: firstMs(remote?.jitter),
    theirLoss: remote?.fractionLost ?? null,
    srtp: transport?.srtpCipher ?? null,
    route: routeName(byId.get(pair?.localCandidateId), byId.get(pair?.remoteCandidateId)),
    video: videoFigures(stats, byId),
    ...changes(raw, before),
    raw,
  };
  return { ...figures, ...judge(figures) };
}

function pick(stats, type, kind) {
  const all = stats.filter((entry) => entry.type === type && (entry.kind ?? entry.mediaType) === kind);
  const traffic = (entry) => (entry.packetsReceived ?? 0) + (entry.packetsSent ?? 0);
  return all.sort((one, two) => traffic(two) - traffic(one))[0];
}

function rawCounters(stats, inbound, outbound) {
  const sum = (type, field) => stats.filter((entry) => entry.type === type).reduce((total, entry) => total + (entry[field] ?? 0), 0);
  return {
    at: inbound?.timestamp ?? outbound?.timestamp ?? 0,
    received: inbound?.packetsReceived ?? 0,
    lost: inbound?.packetsLost ?? 0,
    inBytes: sum('inbound-rtp', 'bytesReceived'),
    outBytes: sum('outbound-rtp', 'bytesSent'),
    bufferDelay: inbound?.jitterBufferDelay ?? 0,
    bufferCount: inbound?.jitterBufferEmittedCount ?? 0,
    isReceiving: Boolean(inbound),
  };
}

/** A counter that went back means a new stream: there is no interval to speak of then. */
function changes(raw, before) {
  const none = { inKbps: null, outKbps: null, loss: null, bufferMs: null, receivedNow: null };
  if (!before || raw.at <= before.at || raw.received < before.received) return none;
  const seconds = (raw.at - before.at) / 1000;
  const received = raw.received - before.received;
  const lost = Math.max(0, raw.lost - before.lost);
  const emitted = raw.bufferCount - before.bufferCount;
  return {
    inKbps: Math.max(0, raw.inBytes - before.inBytes) * 8 / 1000 / seconds,
    outKbps: Math.max(0, raw.outBytes - before.outBytes) * 8 / 1000 / seconds,
    loss: received + lost > 0 ? lost / (received + lost) : null,
    bufferMs: emitted > 0 ? (raw.bufferDelay - before.bufferDelay) / emitted * 1000 : null,
    receivedNow: received,
  };
}

function judge({ codec, rttMs, bufferMs, loss, receivedNow }) {
  if (!receivedNow) return { mos: null, word: null, key: null };
  return estimate({ codec: codec?.split(' ')[0], rttMs: rttMs ?? 0, bufferMs: bufferMs ?? 0, loss: loss ?? 0 });
}

function codecName(codec) {
  if (!codec?.mimeType) return null;
  const name = codec.mimeType.replace(/^(audio|video)\//i, '');
  return codec.clockRate ? `${name} ${codec.clockRate / 1000} kHz` : name;
}

function videoFigures(stats, byId) {
  const inbound = pick(stats, 'inbound-rtp', 'video');
  if (!inbound?.frameWidth) return null;
  return {
    codec: codecName(byId.get(inbound.codecId))?.split(' ')[0] ?? null,
    width: inbound.frameWidth, height: inbound.frameHeight, fps: inbound.framesPerSecond ?? null,
  };
}

function routeName(local, remote) {
  if (!local) return null;
  const kinds = { host: 'direct', srflx: 'through NAT', prflx: 'through NAT', relay: 'through a relay' };
  return `${(local.protocol ?? 'udp').toUpperCase()}, ${kinds[local.candidateType] ?? local.candidateType}${remote ? '' : ' (not settled)'}`;
}

function firstMs(...seconds) {
  const found = seconds.find((value) => Number.isFinite(value));
  return found === undefined ? null : found * 1000;
}

/** Calls onFigures(figures) once a second until stop(). */
export class QualityProbe {
  #timer = 0;
  #before = null;

  constructor(connection, onFigures) {
    this.connection = connection;
    this.onFigures = onFigures;
    this.#timer = setInterval(() => this.#sample(), PERIOD_MS);
  }

  async #sample() {
    try {
      const figures = digest(await this.connection.getStats(), this.#before);
      if (!this.#timer) return;
      this.#before = figures.raw;
      this.onFigures(figures);
    } catch {
      // a connection that is just closing has no stats; the next stop() ends this
    }
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }
}
