// The gateway's own port as the resident's screen sees it (gateway/kiosk), for
// its browser tests, which say what the home is like.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = process.env['LYKTA_DIST'] ?? fileURLToPath(new URL('../../dist', import.meta.url));
const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};
// As strict as the gateway's own.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const minute = 60_000;
const micros = (ms) => ms * 1_000;

/** A gateway that says what the test wants, and keeps what the page tells it. */
export class Gateway {
  /** @param {{ now?: string }} options the right time at the start; else this machine's */
  constructor({ now } = {}) {
    /** @type {import('node:http').ServerResponse[]} The pages that listen. */
    this.pages = [];
    /** @type {any[]} What the page said of calls. */
    this.words = [];
    /** @type {any[]} */
    this.signals = [];
    /** @type {any[]} What the page said of its own faults. */
    this.troubles = [];
    /** @type {Buffer | null} Who calls. */
    this.caller = null;
    /** The service cannot be reached for a call. */
    this.cut = false;
    /** @type {(message: any) => void} Hears the page's signals. */
    this.hears = () => {};
    this.base = now ? Date.parse(now) : Date.now();
    this.began = Date.now();
    /** @type {Record<string, any>} */
    this.status = { online: true, sos: { state: 'none' }, zone: 'Europe/Stockholm' };
    /** @type {any[]} What came, in its order; the same key twice is one deed. */
    this.presses = [];
    this.consents = [];
    this.heard = [];
    this.read = [];
    /** @type {Record<string, Buffer>} */
    this.pictures = {};
    /** @type {Map<string, number>} How often each key came. */
    this.keys = new Map();
    /** The disk is full: nothing can be stored. */
    this.full = false;
    /** The answers to deeds are lost on their way, after they were stored. */
    this.deaf = false;
    /** Not even the status is answered. */
    this.mute = false;
    this.stored = new Set();
    this.kept = 0;
    this.server = createServer((req, res) => void this.answer(req, res));
  }

  /** No call, and nobody listens. */
  calm() {
    for (const page of this.pages) page.destroy();
    Object.assign(this, {
      pages: [],
      words: [],
      signals: [],
      troubles: [],
      caller: null,
      cut: false,
    });
    this.hears = () => {};
  }

  static async start(options = {}) {
    const gateway = new Gateway(options);
    await gateway.listen(options.port ?? 0);
    return gateway;
  }

  /** As new, at that time, on an ordinary day; it answers at the same place. */
  async reset(now) {
    const { port } = this;
    Object.assign(this, { base: Date.parse(now), began: Date.now(), keys: new Map() });
    Object.assign(this, { full: false, deaf: false, mute: false, stored: new Set() });
    this.calm();
    Object.assign(this, { presses: [], consents: [], heard: [], read: [], pictures: {} });
    this.status = { online: true, sos: { state: 'none' }, zone: 'Europe/Stockholm' };
    this.ordinary();
    if (!this.server.listening) await this.listen(port);
  }

  get port() {
    return (this.kept ||= this.server.address().port);
  }
  get now() {
    return this.base + (Date.now() - this.began);
  }
  /** Makes it another time. */
  set now(ms) {
    this.base = ms - (Date.now() - this.began);
  }
  listen(port) {
    return new Promise((done) => this.server.listen(port, '127.0.0.1', () => done(undefined)));
  }
  async stop() {
    if (!this.server.listening) return;
    const closed = new Promise((done) => this.server.close(done));
    this.server.closeAllConnections();
    await closed;
  }

  /** How the newest press goes. */
  press(state, fields = {}) {
    this.status.sos = { epoch: 'e', seq: 7, state, ...fields };
  }
  /** Anna says that she comes in so many minutes. */
  annaComes(minutes, told = micros(Math.floor(this.now))) {
    const expected = micros(this.now + minutes * minute - 5_000);
    this.press('on_the_way', { by: 'Anna', told, expected });
  }

  async answer(req, res) {
    const { pathname } = new URL(req.url ?? '', 'http://localhost');
    if (pathname === '/status') {
      if (this.mute) return; // hangs
      res.setHeader('Content-Type', 'application/json');
      return res.end(JSON.stringify({ now: micros(this.now), ...this.status }));
    }
    if (req.method === 'POST') return this.deed(req, res, pathname);
    if (pathname === '/call/events') return this.follow(req, res);
    if (pathname === '/call/picture') {
      if (!this.caller) return res.writeHead(404).end();
      return res.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(this.caller);
    }
    if (pathname.startsWith('/pictures/')) {
      const picture = this.pictures[decodeURIComponent(pathname.slice('/pictures/'.length))];
      if (!picture) return res.writeHead(404).end();
      return res.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(picture);
    }
    const name = pathname === '/' ? '/kiosk.html' : normalize(pathname);
    const file = await readFile(join(dist, name)).catch(() => null);
    if (!file) return res.writeHead(404).end();
    res.setHeader('Content-Security-Policy', policy);
    res.setHeader('Content-Type', types[name.split('.').at(-1)] ?? 'text/plain');
    return res.end(file);
  }

  follow(req, res) {
    for (const page of this.pages.splice(0)) page.end('event: replaced\ndata: {}\n\n');
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    this.pages.push(res);
    req.on('close', () => (this.pages = this.pages.filter((p) => p !== res)));
    this.tell('network', { online: this.status.online });
    this.tell('call', this.status.call ?? null);
  }

  /** Tells the page at once. */
  tell(event, data) {
    for (const page of this.pages) page.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
  signal(message) {
    this.tell('signal', message);
  }

  /** Somebody calls, or the call changes; null is that it is over. */
  call(call) {
    this.status.call = call && {
      ...{ call: 'c1', state: 'ringing', by: 'Anna', role: 'staff', alert: false, how: '' },
      ...{ picture: this.caller ? '/call/picture?call=c1' : '', countdown: 0, answers_at: 0 },
      ...{ until: micros(this.now + 45_000) },
      ...this.status.call,
      ...call,
    };
    this.tell('call', this.status.call);
  }
  /** The service ends the call, and says why. */
  over(why) {
    this.tell('over', { call: this.status.call.call, why });
    this.call(null);
  }
  /** It answers by itself in so many seconds. */
  countdown(seconds, fields = {}) {
    const answers_at = micros(Math.floor(this.now + seconds * 1_000));
    this.call({ countdown: seconds, answers_at, alert: true, ...fields });
  }
  missed(by = 'Anna', ago = 5) {
    const at = micros(this.now - ago * minute);
    this.status.missed = [
      { call: `m${ago}`, by, role: 'staff', at },
      ...(this.status.missed ?? []),
    ];
  }

  /** What the page says of a call, as gateway/kiosk/call.go takes it. */
  word(body, res) {
    const { call } = this.status;
    if (this.cut && body.word === 'answer') return res.writeHead(503).end('LYK-0436 no network');
    if (call?.call !== body.call) {
      const known = this.words.some((w) => w.call === body.call) && body.word !== 'answer';
      return known ? res.writeHead(204).end() : res.writeHead(409).end('LYK-0434 it is over');
    }
    this.words.push(body);
    res.writeHead(204).end();
    if (body.word === 'answer') this.call({ state: 'answered', how: 'touch' });
    else this.call(null);
  }

  async deed(req, res, pathname) {
    let text = '';
    for await (const chunk of req) text += chunk;
    const body = JSON.parse(text);
    if (pathname === '/call/signal') {
      if (this.cut) return res.writeHead(503).end('LYK-0436 no network');
      this.signals.push(body.message);
      res.writeHead(204).end();
      return this.hears(body.message);
    }
    if (pathname === '/trouble') {
      this.troubles.push(body);
      return res.writeHead(204).end();
    }
    if (pathname === '/call' && !this.full) return this.word(body, res);
    if (pathname === '/heard') {
      this.heard.push(body);
      this.status.sos.heard = body.spoken ? 'spoken' : 'shown';
      return res.writeHead(204).end();
    }
    const before = body.key ? (this.keys.get(body.key) ?? 0) : 0;
    if (body.key) this.keys.set(body.key, before + 1);
    if (this.full) return res.writeHead(503).end('LYK-0423 could not be stored');
    if (before === 0 || !this.stored.has(body.key)) this.store(pathname, body);
    this.stored.add(body.key);
    if (this.deaf) return res.destroy();
    return res.writeHead(204).end();
  }

  store(pathname, body) {
    const { status } = this;
    const letter = /^\/messages\/(.+)\/heard$/.exec(pathname)?.[1];
    if (letter) {
      this.read.push({ id: decodeURIComponent(letter), spoken: body.spoken });
      for (const m of status.messages ?? [])
        if (m.id === decodeURIComponent(letter)) m.heard = true;
    } else if (pathname === '/consent') {
      this.consents.push(body);
      const own = status.day?.grants?.find((g) => g.party === body.party && g.field === body.field);
      if (own) own.allowed = body.allowed;
    } else {
      this.presses.push(body);
      const at = micros(this.now);
      if (body.kind === 'sos') this.press('sending', { seq: 7 + this.presses.length, at });
      if (body.kind === 'call_back') {
        const who = status.missed?.find((m) => m.call === body.text);
        status.missed = status.missed?.filter((m) => m.by !== who?.by);
      }
      if (body.kind === 'check_in') status.check_in = { at, state: 'sending' };
      if (body.kind === 'well_being') status.well_being = at;
      if (body.kind === 'medication') {
        status.taken = { ...status.taken, [body.text]: at };
      }
    }
  }

  /** Fills the screen with an ordinary day. */
  ordinary() {
    const at = (days, time) => {
      const noon = new Date(this.now + days * 24 * 60 * minute).toISOString().slice(0, 10);
      return micros(Date.parse(`${noon}T${time}:00+01:00`));
    };
    const visit = (id, days, from, to, who, what, more = {}) => ({
      ...{ id, from: at(days, from), to: at(days, to), who, what },
      ...more,
    });
    const grant = (party, name, field, allowed, fixed = false) => ({
      ...{ party, name, field, allowed },
      ...(fixed ? { fixed } : {}),
    });
    const fields = ['check_in', 'alerts', 'visits', 'messages', 'activity', 'health', 'climate'];
    const look = (hours, who, role, what) => ({
      ...{ at: micros(this.now - hours * 60 * minute), who, role, what },
    });
    this.status.day = {
      version: 1,
      name: 'Karin',
      language: 'sv',
      ask: 17 * 60,
      visits: [
        visit('v0', 0, '08:00', '08:30', 'Björn', 'Frukost och medicin'),
        visit('v1', 0, '15:00', '15:45', 'Anna', 'Hjälp med dusch'),
        visit('v2', 0, '18:00', '18:20', '', 'Kvällsmat'),
        visit('v3', 0, '19:00', '19:15', 'Maria', '', { video: true }),
        visit('v4', 1, '08:00', '08:30', 'Anna', 'Frukost och medicin'),
        visit('v5', 1, '14:00', '15:00', 'Lars', 'Promenad'),
      ],
      prompts: [
        { id: 'm1', text: 'Alvedon, 2 tabletter', at: 8 * 60, medication: true },
        { id: 'm2', text: 'Alvedon, 2 tabletter', at: 20 * 60, medication: true },
        { id: 'r1', text: 'Vattna blommorna', at: 16 * 60, days: [6, 7] },
      ],
      grants: [
        ...['activity', 'health', 'climate'].map((f) => grant('staff', '', f, f !== 'climate')),
        ...['check_in', 'alerts', 'visits', 'messages', 'contacts', 'notes', 'home'].map((f) =>
          grant('staff', '', f, true, true),
        ),
        ...fields.map((f) => grant('relatives', '', f, f === 'check_in' || f === 'alerts')),
        ...['notes', 'home'].map((f) => grant('relatives', '', f, false, true)),
        ...fields.map((f) =>
          grant('person:maria', 'Maria', f, ['check_in', 'alerts', 'messages'].includes(f)),
        ),
        ...['notes', 'home'].map((f) => grant('person:maria', 'Maria', f, false, true)),
        grant('person:vera', 'Vera', 'alerts', true), // a contact who cannot sign in
      ],
      looks: [
        look(1, 'Anna', 'caregiver', 'look at home'),
        look(2, 'Anna', 'caregiver', 'check_in'),
        look(24, 'Anna', 'caregiver', 'activity'),
        look(25, 'Anna', 'caregiver', 'activity'),
        look(26, 'Maria', 'relative', 'message'),
        look(30, 'Eva', 'coordinator', 'visit'),
        look(75, 'Björn', 'caregiver', 'notes'),
        look(76, 'Björn', 'caregiver', 'note'),
        look(240, 'Sven', 'operator', 'recalibrate-thing'),
      ],
    };
    this.status.taken = { m1: at(0, '08:12') };
    this.status.messages = [];
    this.status.check_in = null;
  }

  letter(fields = {}) {
    this.status.messages = [
      {
        ...{ id: `l${this.status.messages?.length ?? 0}`, from: 'Maria', family: true },
        ...{ text: 'Hej mamma! Vi kommer på lördag med kakor.', heard: false },
        at: micros(this.now - 10 * minute),
        ...fields,
      },
      ...(this.status.messages ?? []),
    ];
  }
}
