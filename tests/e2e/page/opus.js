// SPDX-License-Identifier: Apache-2.0
// The browser's own Opus codec (WebCodecs) lent to the scripted RTP endpoint, which has none.
'use strict';

const opus = {
  config: { codec: 'opus', sampleRate: 48000, numberOfChannels: 1 },

  /** Packets of 20 ms of a tone, base64. The tone must fit into them a whole number of times. */
  async encode(hz, count) {
    const packets = [];
    const encoder = new AudioEncoder({
      output: (chunk) => {
        const bytes = new Uint8Array(chunk.byteLength);
        chunk.copyTo(bytes);
        packets.push(btoa(String.fromCharCode(...bytes)));
      },
      error: (error) => { throw error; },
    });
    encoder.configure({ ...this.config, bitrate: 32000, opus: { frameDuration: 20000 } });
    const data = Float32Array.from({ length: 960 * count }, (_, i) => 0.4 * Math.sin((2 * Math.PI * hz * i) / 48000));
    encoder.encode(new AudioData({ format: 'f32', sampleRate: 48000, numberOfFrames: data.length, numberOfChannels: 1, timestamp: 0, data }));
    await encoder.flush();
    encoder.close();
    return packets.slice(0, count);
  },

  /** PCM of packets (base64), as 16-bit little-endian base64 at 48 kHz, first channel. */
  async decode(packets) {
    const pieces = [];
    const decoder = new AudioDecoder({
      output: (frame) => {
        const pcm = new Float32Array(frame.numberOfFrames);
        frame.copyTo(pcm, { planeIndex: 0, format: 'f32-planar' });
        pieces.push(pcm);
        frame.close();
      },
      error: (error) => { throw error; },
    });
    decoder.configure(this.config);
    packets.forEach((text, i) => decoder.decode(new EncodedAudioChunk({
      type: 'key', timestamp: i * 20000, data: Uint8Array.from(atob(text), (c) => c.charCodeAt(0)),
    })));
    await decoder.flush();
    decoder.close();
    const samples = Int16Array.from(pieces.flatMap((piece) => Array.from(piece, (s) => s * 32767)));
    const bytes = new Uint8Array(samples.buffer);
    let text = '';
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    return btoa(text);
  },
};
