// A server that speaks the HTTP API without a cloud behind it: for the browser
// tests, which script it through the object that startMock returns, and for
// `npm run mock`.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { household, dayOfReadings, rolling } from './household.mjs';
import { Calls, callsApi } from './mock-calls.mjs';
import { admin, adminApi } from './mock/admin.mjs';
import { care, careApi, visible } from './mock/care.mjs';
import { family, familyApi } from './mock/family.mjs';
import { team, teamApi } from './team.mjs';

const dist = process.env['LYKTA_DIST'] ?? fileURLToPath(new URL('../dist', import.meta.url));
const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};
// As strict as the cloud's own.
const policy =
  "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

/**
 * Starts a mock. `now` is the instant the server thinks it is at the start;
 * `homes` how many homes there are; `signedIn` lets everybody in; `calm` is
 * a day on which nothing is wrong.
 *
 * @param {{ now?: string, homes?: number, signedIn?: boolean, port?: number, calm?: boolean }} options
 */
export async function startMock(options = {}) {
  const { now, homes = 5, port = 0, calm = false } = options;
  let signedIn = options.signedIn ?? true;
  const began = Date.now();
  const base = now ? Date.parse(now) : began;
  const at = () => base + (Date.now() - began);
  const iso = (ms) => new Date(ms).toISOString();

  const state = household(homes, base, calm);
  const staff = team(base);
  const rooms = { admin: admin(base), care: care(base), family: family(base) };
  const parts = [
    [rooms.admin, adminApi],
    [rooms.family, familyApi], // before what the staff are answered
    [rooms.care, careApi],
  ];
  const log = [];
  const seen = new Map(); // idempotency key -> answer
  const streams = new Set();
  let events = 0;
  let network = true;
  let streaming = true;
  let failing = null;
  let me = { name: 'Anna Berg', role: 'caregiver', language: 'sv', person: 'anna' };

  const problem = (res, status, id, title, detail = title) => {
    res.writeHead(status, { 'Content-Type': 'application/problem+json' });
    return res.end(JSON.stringify({ type: 'about:blank', title, status, detail, id }));
  };
  const json = (res, body) => {
    res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
    return res.end(JSON.stringify(body));
  };
  const write = (stream, event, data, id) =>
    stream.res.write(
      `${id ? `id: ${id}\n` : ''}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
    );
  const send = (event, data, id) => streams.forEach((s) => write(s, event, data, id));
  const calls = new Calls({ send, at, homes: state.homes });
  parts.unshift([calls, callsApi]);

  const shownOf = (home) => visible(rooms.care, staff, home);

  function counted(home) {
    const own = [...state.alerts.values()].filter(
      (a) => a.home === home.id && a.state !== 'resolved',
    );
    const worst = ['emergency', 'attention', 'technical'].find((s) =>
      own.some((a) => a.severity === s),
    );
    const { devices: _d, last: _l, ...plain } = home;
    return shownOf(home.id).home({
      ...plain,
      open_alerts: own.length,
      highest_severity: worst ?? '',
    });
  }

  function publish(alert) {
    send('alert', alert, ++events);
    send('home', counted(state.homes.get(alert.home)));
  }

  const body = async (req) => {
    let text = '';
    for await (const chunk of req) text += chunk;
    return text ? JSON.parse(text) : {};
  };

  function authorised(req) {
    return signedIn || /(^|; )lykta=yes/.test(req.headers.cookie ?? '');
  }

  async function act(req, res, id, what) {
    const key = req.headers['idempotency-key'];
    const given = await body(req);
    log.push({ what, id, key, ...given });
    if (!key) return problem(res, 400, 'LYK-0002', 'Idempotency-Key is missing');
    if (seen.has(key)) return json(res, seen.get(key));
    const alert = state.alerts.get(id);
    if (!alert) return problem(res, 404, 'LYK-0500', 'No such alert');
    if (alert.state === 'resolved') {
      return problem(res, 409, 'LYK-0501', 'The alert is already resolved');
    }
    const takes =
      what === 'acknowledge' ? alert.state === 'open' || alert.overdue : what !== 'resolve';
    if (takes) {
      const again = alert.held_by === me.name;
      Object.assign(alert, {
        state: 'acknowledged',
        stage: 'acknowledged',
        acknowledged_by: alert.acknowledged_by ?? me.name,
        acknowledged_at: alert.acknowledged_at ?? iso(at()),
        held_by: me.name,
        held_at: iso(at()),
        left_at: again ? alert.left_at : undefined,
        expected: undefined,
        overdue: undefined,
        unheard: undefined,
        reached: undefined,
        heard: undefined,
      });
    }
    if (what === 'on-the-way') {
      Object.assign(alert, {
        stage: 'on_the_way',
        left_at: iso(at()),
        expected: given.minutes ? iso(at() + given.minutes * 60_000) : undefined,
      });
    }
    if (what === 'resolve') {
      Object.assign(alert, {
        state: 'resolved',
        stage: 'resolved',
        overdue: undefined,
        unheard: undefined,
        resolved_by: me.name,
        resolved_at: iso(at()),
        outcome: given.outcome,
        note: given.note,
      });
    }
    seen.set(key, { ...alert });
    json(res, alert);
    publish(alert);
  }

  async function api(req, res, url) {
    const path = url.pathname.slice('/api/v1'.length);
    if (path === '/session' && req.method === 'POST') {
      const { token } = await body(req);
      if (token !== 'lykta-1234') {
        return problem(res, 401, 'LYK-0401', 'The code is not valid');
      }
      res.writeHead(204, { 'Set-Cookie': 'lykta=yes; Path=/; HttpOnly; SameSite=Strict' });
      return res.end();
    }
    if (path === '/session' && req.method === 'DELETE') {
      signedIn = false;
      res.writeHead(204, { 'Set-Cookie': 'lykta=; Path=/; Max-Age=0' });
      return res.end();
    }
    const says = {
      json: (answer) => json(res, answer),
      problem: (status, id, title, detail) => problem(res, status, id, title, detail),
      done: () => res.writeHead(204).end(),
      res,
    };
    const asked = {
      path,
      method: req.method,
      query: url.searchParams,
      headers: req.headers,
      body: () => body(req),
      says,
    };
    const context = { me, at: at(), homes: state.homes, alerts: state.alerts, staff };
    context.authorised = authorised(req);
    if (!context.authorised) {
      // Signing in is answered to everybody.
      for (const [own, answer] of parts) {
        if ((await answer(own, { ...asked, ...context })) !== undefined) return undefined;
      }
      return problem(res, 401, 'LYK-0400', 'Not signed in');
    }
    if (failing && failing.path.test(path)) {
      return problem(res, failing.status, failing.id, 'It broke');
    }
    if (path === '/me') return json(res, me);
    if (path === '/homes' && req.method === 'GET')
      return json(res, { homes: [...state.homes.values()].map(counted) });
    if (path === '/alerts') {
      const want = url.searchParams.get('state');
      const home = url.searchParams.get('home');
      const alerts = [...state.alerts.values()].filter(
        (a) =>
          (!want || a.state === want || (want === 'active' && a.state !== 'resolved')) &&
          (!home || a.home === home),
      );
      return json(res, { alerts });
    }
    const acts = /^\/alerts\/([^/]+)\/(acknowledge|take-over|on-the-way|resolve)$/.exec(path);
    if (acts && req.method === 'POST') return act(req, res, decodeURIComponent(acts[1]), acts[2]);
    if (path === '/events') {
      if (!streaming) return problem(res, 503, 'LYK-0600', 'Busy');
      res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
      const stream = { res, home: url.searchParams.get('home') ?? '' };
      streams.add(stream);
      res.on('close', () => streams.delete(stream));
      return write(stream, 'hello', { now: iso(at()) });
    }
    for (const [own, answer] of [parts[0], parts[2], parts[3], parts[1], [staff, teamApi]]) {
      if ((await answer(own, { ...asked, ...context })) !== undefined) return undefined;
    }
    const one = /^\/homes\/([^/]+)(\/readings)?$/.exec(path);
    const home = one && state.homes.get(decodeURIComponent(one[1]));
    if (!home) return problem(res, 404, 'LYK-0404', 'There is no such home');
    if (!one[2]) {
      const may = shownOf(home.id);
      return json(res, {
        ...home,
        ...counted(home),
        devices: home.devices.map(may.device),
        last: may.readings(home.last),
        refused: may.refused,
      });
    }
    return readings(res, url.searchParams, home);
  }

  function readings(res, query, home) {
    const from = Date.parse(query.get('from'));
    const to = Math.min(Date.parse(query.get('to')), at());
    if (query.get('every')) {
      return json(res, { windows: rolling(home, query.get('kind'), from, to, query.get('every')) });
    }
    const all = shownOf(home.id).readings(dayOfReadings(home, from, to));
    // Two pages, so that following `next` is part of every run.
    const half = Math.ceil(all.length / 2);
    if (query.get('after')) return json(res, { readings: all.slice(half), next: '' });
    return json(res, { readings: all.slice(0, half), next: all.length > 1 ? 'half' : '' });
  }

  async function file(res, path) {
    const name = normalize(path).replace(/^(\.\.[/\\])+/, '');
    const own = /^[/\\](family|guest)(?:[/\\]|$)/.exec(name);
    const page = `/${own?.[1] ?? 'index'}.html`;
    const wanted = extname(name) ? name : page;
    try {
      const content = await readFile(join(dist, wanted));
      res.writeHead(200, {
        'Content-Type': types[extname(wanted)] ?? 'application/octet-stream',
        'Content-Security-Policy': policy,
      });
      res.end(content);
    } catch {
      res.writeHead(404).end();
    }
  }

  const server = createServer((req, res) => {
    const url = new URL(req.url, 'http://localhost');
    const isApi = url.pathname.startsWith('/api/');
    if (isApi && !network) return req.socket.destroy();
    const handled = isApi ? api(req, res, url) : file(res, url.pathname);
    Promise.resolve(handled).catch((error) => problem(res, 500, 'LYK-0001', String(error)));
  });
  server.on('upgrade', (req, socket, head) => {
    if (!network) return socket.destroy();
    return calls.upgrade(req, socket, head, { me, authorised: authorised(req) });
  });
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  const heartbeat = setInterval(() => streams.forEach((s) => s.res.write(': beat\n\n')), 15_000);
  const cut = () => streams.forEach((s) => s.res.destroy());

  return {
    url: `http://127.0.0.1:${server.address().port}`,
    state,
    staff,
    ...rooms,
    calls,
    log,
    at,
    /** Raises an alert, at once and on the stream. */
    raise(fields) {
      const alert = {
        id: `a${state.alerts.size + 100}`,
        severity: 'emergency',
        state: 'open',
        stage: 'open',
        device: 'knapp-1',
        room: 'bedroom',
        observed: iso(at()),
        raised: iso(at()),
        ...fields,
        home_name: state.homes.get(fields.home).name,
      };
      state.alerts.set(alert.id, alert);
      publish(alert);
      return alert;
    },
    /** Somebody presses the button of a home that waits for a test. */
    pressTest(home) {
      const alert = this.raise({ home, kind: 'sos', test: true, tester: me.person });
      Object.assign(staff.tests.get(home)[0], { state: 'pressed', alert: alert.id });
      return alert;
    },
    /** The home has shown who has the alert of its test: it has passed. */
    passTest(home) {
      const test = staff.tests.get(home)[0];
      const shown = { reached: iso(at()), heard: iso(at()) };
      Object.assign(test, { state: 'passed', passed: iso(at()), ended: iso(at()) });
      Object.assign(state.homes.get(home), { protection: 'protected', tested: iso(at()) });
      this.other(test.alert, shown);
    },
    /** The press of the test was made on the resident's screen, and the home has shown who has it. */
    screenTest(home) {
      const test = staff.tests.get(home)[0];
      Object.assign(test, { state: 'failed', failed: 'from_screen', ended: iso(at()) });
      this.other(test.alert, { reached: iso(at()), heard: iso(at()), device: 'kiosk' });
    },
    /** Another caregiver does something. */
    other(id, fields) {
      const alert = Object.assign(state.alerts.get(id), fields);
      publish(alert);
    },
    homeSays(id, fields) {
      const home = Object.assign(state.homes.get(id), fields);
      send('home', counted(home));
    },
    reading(id, reading) {
      const readings = shownOf(id).readings([reading]);
      if (readings.length === 0) return;
      streams.forEach((s) => {
        if (s.home === id) write(s, 'reading', { home: id, readings });
      });
    },
    send,
    /** The network goes and comes: nothing of the API answers. */
    setNetwork(up) {
      network = up;
      if (!up) cut();
      if (!up) calls.cut();
    },
    /** Only the live link goes and comes. */
    setStreaming(up) {
      streaming = up;
      if (!up) cut();
    },
    fail(path, status, id) {
      failing = path && { path, status, id };
    },
    expire() {
      signedIn = false;
      cut();
    },
    setMe(fields) {
      me = { ...me, ...fields };
    },
    async close() {
      clearInterval(heartbeat);
      cut();
      calls.cut();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const option = (name, otherwise) => {
    const i = process.argv.indexOf(name);
    return i > 0 ? process.argv[i + 1] : otherwise;
  };
  const mock = await startMock({
    port: Number(option('--port', '4173')),
    homes: Number(option('--homes', '5')),
  });
  console.log(`mock of the Lykta API at ${mock.url}`);
}
