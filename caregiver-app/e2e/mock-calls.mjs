// The part of the mock that is about calls by video: REST, the live event
// "call", and the WebSocket of the signalling (docs/protocol.md).
//
// There is no media in it. Whoever joins is told who is there and how the call
// stands; the answer to an offer is made by `answerer`, where a test has set
// one: see studioOf in e2e/studio.ts, a page that answers with a moving picture
// and a tone. Without one an offer is only kept, in `offers`.
//
// A test plays the home, and all that a page cannot do, through mock.calls:
//
//   calls.home(id, 'rings')                      the screen in the home rings
//   calls.home(id, 'answer', 'touch')            and 'decline', 'later', 'hang_up'
//   calls.missed(id)                             nobody answered
//   calls.arrive(id, { id, name, role })         somebody else joins; calls.go(id, who)
//   calls.line(id, { video_paused: true, quality: 'bad' })
//   calls.say(id, message)                       any message to all pages of a call
//   calls.cut(id)                                sockets break; calls.away = true refuses new ones
//   calls.begin({ home, by })                    somebody else calls
//   calls.heard, calls.offers, calls.went        what pages have said
//   calls.busy = 'c9'                            the home is in another call: 409
import { createHash, randomUUID } from 'node:crypto';

const iso = (ms) => new Date(ms).toISOString();
const mids = (sdp) => [...String(sdp).matchAll(/^a=mid:(\S+)/gm)].map((m) => m[1]);

/** A WebSocket of the server: text frames, and what belongs to them (RFC 6455). */
class Socket {
  constructor(raw, head, heard, closed) {
    this.raw = raw;
    this.heard = heard;
    this.closed = closed;
    this.rest = head;
    this.parts = [];
    raw.on('data', (data) => this.take(data));
    raw.on('close', () => this.end());
    raw.on('error', () => this.end());
    this.take(Buffer.alloc(0));
  }
  end() {
    this.closed?.();
    this.closed = undefined;
  }
  take(data) {
    this.rest = Buffer.concat([this.rest, data]);
    for (;;) {
      const b = this.rest;
      if (b.length < 2) return;
      let length = b[1] & 0x7f;
      let at = 2;
      if (length === 126) {
        if (b.length < 4) return;
        length = b.readUInt16BE(2);
        at = 4;
      } else if (length === 127) {
        if (b.length < 10) return;
        length = Number(b.readBigUInt64BE(2));
        at = 10;
      }
      if (b.length < at + 4 + length) return;
      const mask = b.subarray(at, at + 4);
      const content = Buffer.from(b.subarray(at + 4, at + 4 + length)).map(
        (x, i) => x ^ mask[i % 4],
      );
      this.rest = b.subarray(at + 4 + length);
      const kind = b[0] & 0x0f;
      if (kind === 8) return this.close();
      if (kind === 9) this.frame(10, content);
      if (kind > 2) continue;
      this.parts.push(content);
      if (b[0] & 0x80) {
        this.heard(Buffer.concat(this.parts.splice(0)).toString());
      }
    }
  }
  frame(kind, content) {
    if (this.raw.destroyed) return;
    const head = [0x80 | kind];
    if (content.length < 126) head.push(content.length);
    else if (content.length < 65_536) head.push(126, content.length >> 8, content.length & 0xff);
    else throw new Error('too long for the mock');
    this.raw.write(Buffer.concat([Buffer.from(head), content]));
  }
  send(message) {
    this.frame(1, Buffer.from(JSON.stringify(message)));
  }
  close(code = 1000, why = '') {
    this.frame(8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(why)]));
    this.raw.end();
  }
}

export class Calls {
  /**
   * @param {{ send: (event: string, data: unknown) => void, at: () => number, homes: Map<string, any> }} mock
   */
  constructor({ send, at, homes }) {
    Object.assign(this, { send, at, homes });
    /** @type {Map<string, any>} id -> call, as the API has it */
    this.all = new Map();
    /** @type {{ call: string, me: any, socket: Socket, slots: string[][], state: any }[]} */
    this.sockets = [];
    /** @type {Map<string, { call: string, id: string, name: string, role: string, taken?: any }>} by code */
    this.guests = new Map();
    /** @type {any[]} Every message of a page: { call, who, ...message }. */
    this.heard = [];
    /** @type {any[]} */
    this.offers = [];
    /** @type {any[]} */
    this.went = [];
    /** @type {Map<string, any>} */
    this.seen = new Map();
    /** Who is in a call besides the pages: call -> id -> { id, name, role, mic, camera }. */
    this.others = new Map();
    /** @type {((offer: string, of: { call: string, who: string, slots: number, type: string }) => Promise<string>) | undefined} */
    this.answerer = undefined;
    /** The id of another call that the home is in: who calls is refused. */
    this.busy = '';
    /** Sockets are refused. */
    this.away = false;
    this.count = 0;
  }

  get(id) {
    const call = this.all.get(id);
    if (!call) throw new Error(`there is no call ${id}`);
    return call;
  }

  /** Somebody begins a call. */
  begin({ home, visit = '', alert = '', by }) {
    const call = {
      id: `c${++this.count}`,
      home,
      home_name: this.homes.get(home)?.name ?? home,
      visit,
      alert,
      state: 'ringing',
      by,
      started: iso(this.at()),
      rung: null,
      answered: null,
      how: '',
      ended: null,
      why: '',
      outcome: '',
      note: '',
      saved_minutes: 0,
      people: [],
      here: [],
    };
    this.all.set(call.id, call);
    this.others.set(call.id, new Map());
    this.changed(call);
    return call;
  }

  change(id, fields) {
    const call = Object.assign(this.get(id), fields);
    this.changed(call);
    return call;
  }

  changed(call) {
    call.here = [
      ...this.others.get(call.id).keys(),
      ...new Set(this.of(call.id).map((s) => s.me.id)),
    ];
    this.send('call', call);
    this.say(call.id, { type: 'call', call });
  }

  of(id) {
    return this.sockets.filter((s) => s.call === id);
  }

  /** A message to all pages of a call, or to those of one who is in it. */
  say(id, message, who = '') {
    this.of(id).forEach((s) => (!who || s.me.id === who) && s.socket.send(message));
  }

  /** What the home does: rings, answer, decline, later, hang_up. */
  home(id, word, how = 'touch') {
    const now = iso(this.at());
    if (word === 'rings') return this.change(id, { rung: now });
    if (word !== 'answer') {
      const why = { decline: 'declined', later: 'later', hang_up: 'done' }[word];
      return this.end(id, why);
    }
    const call = this.get(id);
    Object.assign(call, { rung: call.rung ?? now, answered: now, how, state: 'answered' });
    const [called] = call.home_name.split(' ');
    return this.arrive(id, { id: 'home', name: called, role: 'home' });
  }

  missed(id) {
    return this.end(id, 'missed');
  }

  end(id, why) {
    const call = this.get(id);
    if (call.state === 'ended') return call;
    for (const p of call.people) p.left ??= iso(this.at());
    this.others.get(id).clear();
    const fields = { state: 'ended', ended: iso(this.at()), why };
    this.change(id, fields);
    this.of(id).forEach((s) => s.socket.close(1000, 'over'));
    return call;
  }

  /** Somebody without a page of the test is in the call. */
  arrive(id, { id: who, name, role, mic = true, camera = true }) {
    const call = this.get(id);
    this.others.get(id).set(who, { id: who, name, role, mic, camera });
    this.came(call, { id: who, name, role });
    this.changed(call);
    this.people(id);
    return call;
  }

  /** They are gone; or what they show of themselves is another. */
  go(id, who) {
    const call = this.get(id);
    this.others.get(id).delete(who);
    this.left(call, who);
    this.changed(call);
    this.people(id);
  }
  shows(id, who, fields) {
    Object.assign(this.others.get(id).get(who), fields);
    this.people(id);
  }

  line(id, fields, who = '') {
    const line = { type: 'line', video_paused: false, quality: 'good', loss: 0, kbps: 900 };
    this.say(id, { ...line, ...fields }, who);
  }

  cut(id) {
    for (const s of id ? this.of(id) : [...this.sockets]) s.socket.raw.destroy();
  }

  came(call, { id, name, role }) {
    const known = call.people.find((p) => p.id === id);
    if (known) known.left = null;
    else call.people.push({ id, name, role, joined: iso(this.at()), left: null });
  }
  left(call, who) {
    const known = call.people.find((p) => p.id === who);
    if (known) known.left = iso(this.at());
  }

  /** Tells each page who the others are, and in which of its slots. */
  people(id) {
    for (const s of this.of(id).filter((s) => s.joined)) {
      const others = [
        ...this.others.get(id).values(),
        ...this.of(id)
          .filter((o) => o !== s && o.joined)
          .map((o) => ({ ...o.me, ...o.state })),
      ];
      const people = others.map((p, i) => {
        const [audio = '', video = ''] = s.slots[i] ?? [];
        return { ...p, audio, video };
      });
      s.socket.send({ type: 'people', people });
    }
  }

  /** Takes a WebSocket's handshake; `who` is who the session belongs to. */
  upgrade(req, raw, head, { me, authorised }) {
    const { pathname } = new URL(req.url, 'http://localhost');
    const found = /^\/api\/v1\/(?:calls\/([^/]+)|guest)\/socket$/.exec(pathname);
    const offered = String(req.headers['sec-websocket-protocol'] ?? '').split(/,\s*/);
    const call = found?.[1] && this.all.get(decodeURIComponent(found[1]));
    const refused =
      this.away || !found
        ? '503 Busy'
        : found[1] && !authorised
          ? '401 Unauthorized'
          : found[1] && !call
            ? '404 Not Found'
            : !offered.includes('lykta.call.1')
              ? '400 Bad Request'
              : '';
    if (refused) return raw.end(`HTTP/1.1 ${refused}\r\nConnection: close\r\n\r\n`);
    const accept = createHash('sha1')
      .update(`${req.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    raw.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: lykta.call.1\r\n\r\n`,
    );
    const role = me.role === 'relative' ? 'relative' : 'staff';
    const own = { id: `person:${me.person}`, name: me.name, role };
    return call ? this.attend(call, own, raw, head) : this.guest(raw, head);
  }

  guest(raw, head) {
    const socket = new Socket(raw, head, (text) => {
      const { type, code } = JSON.parse(text);
      const guest = type === 'hello' && this.guests.get(code);
      if (!guest) return socket.close(4401, 'LYK-0906');
      guest.taken?.close(4409, 'elsewhere'); // one browser at a time
      guest.taken = socket;
      const { id, name, role } = guest;
      this.welcome(this.get(guest.call), { id: `guest:${id}`, name, role }, socket);
      return undefined;
    });
  }

  attend(call, me, raw, head) {
    this.welcome(call, me, new Socket(raw, head, () => {}));
  }

  welcome(call, me, socket) {
    const state = { mic: false, camera: false };
    const seat = { call: call.id, me, socket, slots: [], state, joined: false };
    this.sockets.push(seat);
    socket.heard = (text) => void this.hear(seat, JSON.parse(text));
    socket.closed = () => this.gone(seat);
    const ice = [{ urls: ['turn:127.0.0.1:9?transport=udp'], username: 'u', credential: 'c' }];
    socket.send({ type: 'welcome', me: me.id, call, ice, slots: 3 });
    if (call.state === 'ended') socket.close(1000, 'over');
  }

  gone(seat) {
    this.sockets = this.sockets.filter((s) => s !== seat);
    const call = this.get(seat.call);
    if (seat.joined && !this.of(seat.call).some((s) => s.me.id === seat.me.id)) {
      this.left(call, seat.me.id);
    }
    if (call.state === 'ended') return;
    this.changed(call);
    this.people(call.id);
  }

  async hear(seat, message) {
    this.heard.push({ call: seat.call, who: seat.me.id, ...message });
    const call = this.get(seat.call);
    const { type, sdp, offer, mic, camera } = message;
    if (type === 'ping') return seat.socket.send({ type: 'pong' });
    if (type === 'leave') return seat.socket.close(1000, 'left');
    if (type === 'state') {
      Object.assign(seat.state, { mic, camera });
      return this.people(seat.call);
    }
    if (type === 'join' || type === 'restart') {
      this.offers.push({ call: seat.call, who: seat.me.id, type, sdp });
      const all = mids(sdp);
      if (type === 'join') {
        seat.slots = [2, 4, 6].map((i) => [all[i] ?? '', all[i + 1] ?? '']);
        Object.assign(seat.state, { mic: Boolean(mic), camera: Boolean(camera) });
      }
      if (this.answerer) {
        const of = { call: seat.call, who: seat.me.id, slots: 3, type };
        seat.socket.send({ type: 'answer', sdp: await this.answerer(sdp, of), offer });
      }
      if (type === 'restart') return undefined;
      seat.joined = true;
      this.came(call, seat.me);
      this.changed(call);
      return this.people(seat.call);
    }
    return seat.socket.send({
      type: 'problem',
      id: 'LYK-0908',
      text: 'Meddelandet förstods inte.',
    });
  }
}

const problems = {
  none: [404, 'LYK-0900', 'Samtalet finns inte.'],
  busy: [409, 'LYK-0901', 'Hemmet är redan i ett samtal.'],
  over: [409, 'LYK-0902', 'Samtalet är slut.'],
  guest: [410, 'LYK-0906', 'Länken fungerar inte längre. Be om en ny.'],
};

/** Answers what is about calls; undefined is for somebody else to answer. */
export async function callsApi(
  calls,
  { path, method, query, headers, body, says, me, authorised, alerts },
) {
  const refuse = (which) => says.problem(...problems[which]) ?? true;
  if (path === '/guest/look' && method === 'POST') {
    const guest = calls.guests.get((await body()).code);
    if (!guest) return refuse('guest');
    const { home_name, state } = calls.get(guest.call);
    return says.json({
      name: guest.name,
      role: guest.role,
      home_name: home_name.split(' ')[0],
      by: 'Anna',
      area: 'Norrbyn',
      call: { state },
    });
  }
  if (!authorised) return undefined;
  const start = /^\/homes\/([^/]+)\/calls$/.exec(path);
  if (start && method === 'POST') {
    const given = await body();
    const key = headers['idempotency-key'];
    if (!key) return says.problem(422, 'LYK-0503', 'Idempotency-Key is missing');
    const unknown = Object.keys(given).find(
      (k) => !['visit', 'alert', 'automatic', 'picture'].includes(k),
    );
    if (unknown) return says.problem(422, 'LYK-0503', `unexpected property ${unknown}`);
    if (calls.seen.has(key)) return says.json(calls.get(calls.seen.get(key)));
    const home = decodeURIComponent(start[1]);
    const other =
      calls.busy || [...calls.all.values()].find((c) => c.home === home && c.state !== 'ended')?.id;
    if (other) {
      const [status, id, title] = problems.busy;
      says.res.writeHead(status, { 'Content-Type': 'application/problem+json' });
      return says.res.end(
        JSON.stringify({ type: `urn:lykta:problem:${id}`, title, status, id, call: other }),
      );
    }
    if (given.automatic && alerts.get(given.alert)?.severity !== 'emergency') {
      return says.problem(403, 'LYK-0905', 'Skärmen får inte svara av sig själv.') ?? true;
    }
    const by = { id: me.person, name: me.name, role: me.role };
    const call = calls.begin({ home, visit: given.visit, alert: given.alert, by });
    calls.seen.set(key, call.id);
    says.res.writeHead(201, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    return says.res.end(JSON.stringify(call));
  }
  if (path === '/calls' && method === 'GET') {
    const wanted = [...calls.all.values()].filter(
      (c) =>
        (!query.get('home') || c.home === query.get('home')) &&
        (!query.get('visit') || c.visit === query.get('visit')) &&
        (query.get('live') !== 'true' || c.state !== 'ended'),
    );
    return says.json({ calls: wanted.reverse() });
  }
  const one = /^\/calls\/([^/]+)(?:\/(hang-up|went|guests))?$/.exec(path);
  if (!one) return undefined;
  const call = calls.all.get(decodeURIComponent(one[1]));
  if (!call) return refuse('none');
  if (!one[2]) return says.json(call);
  if (one[2] === 'hang-up') {
    const ends = call.by.id === me.person;
    if (ends) calls.end(call.id, call.state === 'answered' ? 'done' : 'cancelled');
    else calls.of(call.id).forEach((s) => s.me.id === `person:${me.person}` && s.socket.close());
    return says.json(call);
  }
  const given = await body();
  if (one[2] === 'went') {
    calls.went.push({ call: call.id, key: headers['idempotency-key'], ...given });
    calls.change(call.id, {
      outcome: given.outcome,
      note: given.note ?? '',
      saved_minutes: given.saved_minutes ?? 0,
    });
    return says.json(call);
  }
  if (call.state === 'ended') return refuse('over');
  const code = `lyk_g_${randomUUID().replaceAll('-', '')}`;
  calls.guests.set(code, {
    call: call.id,
    id: `g${calls.guests.size + 1}`,
    name: given.name,
    role: given.role,
  });
  says.res.writeHead(201, { 'Content-Type': 'application/json' });
  const expires = iso(calls.at() + 2 * 60 * 60_000);
  return says.res.end(JSON.stringify({ link: `http://${headers.host}/guest#${code}`, expires }));
}
