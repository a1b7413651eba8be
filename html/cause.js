// SPDX-License-Identifier: Apache-2.0
// cause.js: why a call or a sign-in ended, in plain words. Pure: strings in, strings out.
// SIP status codes (RFC 3261 21), Reason (RFC 3326), Warning (RFC 3261 20.43), names of P-Asserted-Identity
// (RFC 3325). Text from outside comes back as text; whoever shows it must not treat it as markup.

const BY_STATUS = {
  400: ['The call could not be understood', 'The other side said the request was malformed.'],
  401: ['Not signed in', 'The gateway did not accept the name or password.'],
  402: ['Payment needed', 'The carrier wants credit on the account first.'],
  403: ['Not allowed', 'This account may not call that number.'],
  404: ['No such number', 'Nobody has this number or name.'],
  405: ['Not possible there', 'The other side does not take this kind of call.'],
  406: ['Not acceptable there', 'The other side does not take this kind of call.'],
  407: ['Not signed in', 'The gateway did not accept the name or password.'],
  408: ['No answer', 'The other side did not react in time.'],
  410: ['Number no longer in use', 'This number has been given up.'],
  415: ['Phones do not match', 'The other side cannot handle this kind of call.'],
  420: ['Phones do not match', 'The other side lacks something this call needs.'],
  480: ['Not available', 'They cannot be reached right now.'],
  481: ['Call already gone', 'The other side no longer knows this call.'],
  482: ['Call went in circles', 'The number is forwarded back to itself.'],
  483: ['Call went in circles', 'The call was forwarded too many times.'],
  484: ['Number incomplete', 'Some digits seem to be missing.'],
  485: ['Number not clear', 'More than one person could be meant.'],
  486: ['Busy', 'They are in another call.'],
  487: ['Cancelled', 'The call was stopped before it was answered.'],
  488: ['No common sound format', 'The two phones share no way to carry the sound.'],
  491: ['Try again', 'Both sides changed the call in the same moment.'],
  500: ['Something broke', 'The gateway or the carrier had an error of its own.'],
  501: ['Not possible there', 'The other side does not know this kind of call.'],
  502: ['Carrier trouble', 'The next network gave an answer that made no sense.'],
  503: ['No free line', 'The carrier cannot take the call at the moment.'],
  504: ['Carrier did not react', 'The network that should take the call gave no answer.'],
  513: ['Message too long', 'The other side cannot take so much at once.'],
  600: ['Busy', 'They are in another call, on every phone.'],
  603: ['Declined', 'They did not want to take the call.'],
  604: ['No such number', 'This number exists nowhere.'],
  606: ['No common sound format', 'The two phones share no way to carry the sound.'],
};

const BY_JSSIP_CAUSE = {
  'Connection Error': ['Connection lost', 'The line to the gateway broke. Check the network.'],
  'Request Timeout': ['Gateway did not react', 'No answer came in time. Check the network.'],
  'No Answer': ['Not answered', 'The call rang, and nobody took it.'],
  Expires: ['Not answered', 'The caller gave up.'],
  'WebRTC Error': ['The browser could not set up the sound', 'Reloading the page may help.'],
  'User Denied Media Access': ['No microphone', 'The browser does not let this page use the microphone.'],
  'RTP Timeout': ['Sound path broke', 'No way between this browser and the gateway works any more.'],
  'Bad Media Description': ['No common sound format', 'The answer of the other side could not be used.'],
  'Incompatible SDP': ['No common sound format', 'The two phones share no way to carry the sound.'],
  'Missing SDP': ['Phones do not match', 'The other side answered without saying how to talk.'],
  'No ACK': ['Connection broke', 'The other side never confirmed the call.'],
  'Dialog Error': ['Call already gone', 'The other side no longer knows this call.'],
  'Internal Error': ['Something broke', 'The phone had an error of its own.'],
};

/** Text of a quoted-string without its quotes and escapes; anything else trimmed. */
export function unquote(value) {
  const text = String(value ?? '').trim();
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(text);
  return quoted ? quoted[1].replace(/\\(.)/gs, '$1') : text;
}

/** The display name of the first name-addr in a header value (RFC 3261 25.1), '' when there is none. */
export function displayNameOf(value) {
  const [first] = splitOutsideQuotes(value, ',');
  const name = /^\s*("(?:[^"\\]|\\.)*"|[^"<]*?)\s*</s.exec(first)?.[1] ?? '';
  return cleanText(unquote(name));
}

/** Reason header values -> [{protocol, cause, text}], RFC 3326. Damaged values give what could be read. */
export function parseReasons(values) {
  const found = [];
  for (const value of [values ?? []].flat()) {
    for (const one of splitOutsideQuotes(value, ',')) {
      const [protocol, ...params] = splitOutsideQuotes(one, ';').map((part) => part.trim());
      if (!protocol) continue;
      const reason = { protocol: protocol.toUpperCase(), cause: null, text: '' };
      for (const param of params) {
        const [, name, given] = /^([a-z]+)\s*=\s*(.*)$/is.exec(param) ?? [];
        if (/^cause$/i.test(name) && /^\d{1,3}$/.test(given)) reason.cause = Number(given);
        if (/^text$/i.test(name)) reason.text = unquote(given);
      }
      found.push(reason);
    }
  }
  return found;
}

/** Warning header values -> their texts: `399 gw "No route"` gives ["No route"]. */
export function parseWarnings(values) {
  return [values ?? []].flat().flatMap((value) => splitOutsideQuotes(value, ','))
    .map((one) => /^\s*\d{3}\s+\S+\s+(".*")\s*$/s.exec(one)?.[1])
    .filter(Boolean).map(unquote);
}

function splitOutsideQuotes(value, mark) {
  const parts = [''];
  let isQuoted = false;
  const text = String(value ?? '').slice(0, 2048);
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (char === '\\' && isQuoted) {
      parts[parts.length - 1] += char + (text[i += 1] ?? '');
      continue;
    }
    if (char === '"') isQuoted = !isQuoted;
    if (char === mark && !isQuoted) parts.push('');
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** What to tell the person.
 *  @param end {status, phrase, reasons: [header values], warnings: [header values], cause (JsSIP's word),
 *             originator: local|remote|system, wasAnswered, direction: in|out}
 *  @return {title, detail, said, status, isFailure}: `said` is the gateway's own sentence, maybe empty. */
export function explain(end) {
  const reasons = parseReasons(end.reasons);
  const said = cleanText([...parseWarnings(end.warnings), ...reasons.map((reason) => reason.text)].find(Boolean) ?? '');
  const sip = reasons.find((reason) => reason.protocol === 'SIP' && reason.cause);
  const status = end.status || (sip?.cause >= 300 ? sip.cause : 0);

  if (end.wasAnswered) return afterAnswer(end, sip, said);
  if (end.direction === 'in') return neverAnswered(end, sip, said);
  if (end.cause === 'Canceled' && end.originator === 'local') return tell('Cancelled', '', '', 0, false);
  if (status >= 300) return failed(status, end.phrase, said);
  const [title, detail] = BY_JSSIP_CAUSE[end.cause] ?? ['The call failed', ''];
  return tell(title, detail, said, 0, true);
}

/** The same for a sign-in that was refused. */
export function explainSignIn({ status = 0, warnings = [], reasons = [], cause = '' }) {
  const said = cleanText([...parseWarnings(warnings), ...parseReasons(reasons).map((reason) => reason.text)].find(Boolean) ?? '');
  if ([401, 403, 404, 407].includes(status)) return tell('Name or password not accepted', 'Check both and try again.', said, status, true);
  if (status === 408 || cause === 'Request Timeout') return tell('Gateway did not react', 'No answer to the sign-in came in time.', said, status, true);
  if (status >= 300) return tell('Sign-in refused', `The gateway answered ${status}.`, said, status, true);
  if (cause === 'Authentication Error') return tell('Name or password not accepted', 'Check both and try again.', said, status, true);
  return tell('Sign-in failed', BY_JSSIP_CAUSE[cause]?.[1] ?? '', said, status, true);
}

function afterAnswer(end, sip, said) {
  if (BY_JSSIP_CAUSE[end.cause]) return tell(...BY_JSSIP_CAUSE[end.cause], said, 0, true);
  const isFailure = Boolean(sip && sip.cause >= 300);
  if (isFailure) return tell('Call was cut', BY_STATUS[sip.cause]?.[1] ?? '', said, sip.cause, true);
  return tell('Call ended', end.originator === 'local' ? '' : 'They hung up.', said, 0, false);
}

function neverAnswered(end, sip, said) {
  if (end.originator === 'local' && end.cause === 'Rejected') return tell('Declined', '', '', 0, false);
  if (sip?.cause === 200) return tell('Answered on another phone', '', '', 0, false);
  if (BY_JSSIP_CAUSE[end.cause] && end.cause !== 'No Answer' && end.cause !== 'Expires') {
    return tell(...BY_JSSIP_CAUSE[end.cause], said, 0, true);
  }
  return tell('Missed call', '', '', 0, false);
}

function failed(status, phrase, said) {
  const family = { 3: 'The call was sent elsewhere', 4: 'The call was refused', 5: 'The network failed', 6: 'The call was refused' };
  const [title, detail] = BY_STATUS[status] ?? [family[Math.floor(status / 100)] ?? 'The call failed', ''];
  return tell(title, detail, said || cleanText(BY_STATUS[status] ? '' : phrase), status, true);
}

function cleanText(text) {
  return String(text ?? '').replace(/[\u0000-\u001f\u007f]+/g, ' ').trim().slice(0, 200);
}

function tell(title, detail, said, status, isFailure) {
  return { title, detail, said, status, isFailure };
}
