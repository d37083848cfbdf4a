// The part of the mock that is about sign-in, homes and devices, statistics, visits.
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const iso = (ms) => new Date(ms).toISOString();
const random = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');

/** What this part knows at the start; `base` is the instant, in milliseconds. */
export const admin = (base) => ({
  base,
  /** What GET /sign-in says. */
  ways: { passkeys: true, oidc: null },
  /** Ceremonies under way: id -> challenge. */
  ceremonies: new Map(),
  /** The passkeys of who is signed in: the credential's id -> passkey. */
  passkeys: new Map(),
  /** Whether who is signed in has proved lately who they are. */
  proved: true,
  /** Codes of invitations that are good. */
  invitations: new Map([
    [
      'lykta-inbjudan',
      { name: 'Nils Ek', role: 'caregiver', homes: [], expires: iso(base + 7 * day) },
    ],
    [
      'lykta-maria',
      {
        name: 'Maria Lindqvist',
        role: 'relative',
        homes: ['Märta Lindqvist'],
        expires: iso(base + 7 * day),
      },
    ],
  ]),
  sessions: [
    session('s1', 'Chrome, Android', base - 2 * hour, base - minute, true),
    session('s2', 'Firefox, Windows', base - 5 * hour, base - 3 * hour, false),
    session('s3', 'Safari, iPad', base - 30 * hour, base - 26 * hour, false),
  ],
  /** What is known of people's ways in. */
  ins: new Map([
    ['anna', { role: 'caregiver', areas: ['Norr'], passkeys: 2, invited: null }],
    ['bjorn', { role: 'caregiver', areas: [], passkeys: 1, invited: null }],
    ['cecilia', { role: 'coordinator', areas: [], passkeys: 0, invited: iso(base + 5 * day) }],
    ['david', { role: 'caregiver', areas: ['Norr'], passkeys: 0, invited: null }],
    ['lena', { role: 'relative', areas: [], passkeys: 1, invited: null }],
  ]),
  /** People whose sign-ins were ended. */
  ended: [],
  visits: plannedVisits(base),
  /** Homes that let devices in: id -> until when. */
  pairing: new Map(),
  rooms: new Map(),
});

function session(id, device, started, used, here) {
  return {
    id,
    device,
    started: iso(started),
    used: iso(used),
    expires: iso(started + 12 * hour),
    this: here,
  };
}

const rounds = [
  ['marta', 'Morgonhjälp', 7.5, 45, 'anna'],
  ['astrid', 'Medicin', 8.5, 15, 'anna'],
  ['gunnar', 'Lunch', 11.75, 30, 'anna'],
  ['sven', 'Dusch', 9.5, 60, 'cecilia'],
  ['holm', 'Medicin', 15, 15, 'bjorn'],
  ['marta', 'Kvällshjälp', 19, 30, 'bjorn'],
];

// Two weeks of visits, those of the week before and of the present one; and what relatives ask for.
function plannedVisits(base) {
  const visits = new Map();
  const midnight = Math.floor((base + hour) / day) * day - hour;
  const weekday = (new Date(midnight + hour).getUTCDay() + 6) % 7;
  const put = (id, fields) => visits.set(id, { ...visitBase, id, ...fields });
  for (let d = -weekday - 7; d < 7 - weekday; d++) {
    for (const [i, [home, what, at, minutes, person]] of rounds.entries()) {
      if ((d + 70 + i) % 7 > 4 && i > 2) continue;
      const from = midnight + d * day + at * hour;
      const over = from + minutes * minute < base;
      put(`b${i}-${d + 70}`, {
        home,
        what,
        person: i === 4 && d === 1 ? '' : person,
        from: iso(from),
        to: iso(from + minutes * minute),
        state: over ? (i === 3 && d === -1 ? 'missed' : 'done') : 'planned',
        video: i === 1 && d % 2 === 0,
      });
    }
  }
  put('onskan-1', {
    home: 'marta',
    what: 'Promenad om det är fint väder',
    from: iso(midnight + 3 * day + 13 * hour),
    to: iso(midnight + 3 * day + 14 * hour),
    state: 'requested',
    asked: 'lena',
    asked_by: 'Lena Lindqvist',
  });
  return visits;
}

const visitBase = {
  person: '',
  what: '',
  video: false,
  state: 'planned',
  asked: '',
  asked_by: '',
  note: '',
  changed: null,
  by: 'Karin Ek',
  rev: 1,
};

function counts(query) {
  const [from, to] = [Date.parse(query.get('from')), Date.parse(query.get('to'))];
  const days = [];
  for (let t = from; t < to - hour; t += day) {
    const n = Math.floor(t / day);
    const urgent = (n * 7) % 4;
    days.push({
      date: iso(t + 12 * hour).slice(0, 10),
      emergency: urgent,
      attention: (n * 5) % 3,
      technical: n % 4 === 0 ? 1 : 0,
      taken_median: urgent ? 40 + ((n * 13) % 60) : null,
      taken_p90: urgent ? 120 + ((n * 31) % 240) : null,
      visits_done: 18 + ((n * 3) % 7),
      visits_missed: n % 5 === 0 ? 1 : 0,
      calls: n % 3,
      calls_missed: n % 7 === 0 ? 1 : 0,
      call_minutes: (n % 3) * 11.5,
      saved_minutes: (n % 3) * 20,
    });
  }
  return {
    from: iso(from),
    to: iso(to),
    days,
    by_outcome: { helped: 21, false_press: 9, test: 4, could_not_reach: 1, recovered: 12 },
    by_hour: [1, 0, 2, 1, 0, 1, 3, 5, 4, 2, 1, 2, 3, 1, 1, 2, 2, 4, 3, 2, 3, 2, 1, 1],
    homes: 45,
    protected: 41,
    messages: 63,
  };
}

function deviceStates(homes) {
  const out = [];
  let n = 0;
  for (const home of homes.values()) {
    for (const d of home.devices) {
      n++;
      out.push({
        home: home.id,
        home_name: home.name,
        device: d.device,
        room: d.room,
        kinds: d.kinds,
        last_seen: d.last_seen,
        silent: d.silent,
        battery: d.battery,
        battery_low: d.battery_low ?? false,
        signal: n % 11 === 0 ? 28 : n % 7 === 0 ? null : 70 + ((n * 37) % 180),
      });
    }
  }
  return out;
}

/**
 * Answers what is asked with one of asked.says, or returns undefined when it is not for this part.
 *
 * @param {ReturnType<typeof admin>} state
 */
export async function adminApi(state, asked) {
  const { path, method, body, says, me, at, homes, staff, query } = asked;
  const cookie = () => {
    says.res.writeHead(204, { 'Set-Cookie': 'lykta=yes; Path=/; HttpOnly; SameSite=Strict' });
    return says.res.end();
  };
  const created = (answer) => {
    says.res.writeHead(201, { 'Content-Type': 'application/json' });
    return says.res.end(JSON.stringify(answer));
  };
  const begin = (publicKey) => {
    const ceremony = random();
    const challenge = random();
    state.ceremonies.set(ceremony, challenge);
    return says.json({ ceremony, publicKey: { challenge, timeout: 60_000, ...publicKey } });
  };
  // The ceremony is good once, and the browser signed its challenge.
  const finished = ({ ceremony, credential }) => {
    const challenge = state.ceremonies.get(ceremony);
    state.ceremonies.delete(ceremony);
    const client = JSON.parse(
      Buffer.from(credential?.response?.clientDataJSON ?? 'e30', 'base64url').toString(),
    );
    return challenge !== undefined && client.challenge === challenge;
  };

  if (path === '/sign-in') return says.json(state.ways);
  if (path === '/sign-in/oidc') {
    says.res.writeHead(302, { Location: '/sign-in?problem=LYK-0721' });
    return says.res.end();
  }
  if (path === '/sign-in/passkey/options') {
    return begin({ rpId: 'localhost', userVerification: 'required', allowCredentials: [] });
  }
  if (path === '/sign-in/passkey') {
    const given = await body();
    const known = state.passkeys.get(given.credential?.id);
    if (!finished(given) || !known) {
      return says.problem(401, 'LYK-0717', 'The passkey is not known');
    }
    known.used = iso(at);
    return cookie();
  }
  if (path === '/invitation/look' || path === '/invitation/accept') {
    const { code } = await body();
    const invitation = state.invitations.get(code);
    if (!invitation) return says.problem(404, 'LYK-0718', 'The invitation is not good');
    if (path.endsWith('look')) return says.json(invitation);
    state.invitations.delete(code);
    return cookie();
  }
  if (!asked.authorised) return undefined;

  const manages = me.role !== 'caregiver';
  const unproved = (role) =>
    !state.proved && ['caregiver', 'coordinator', 'operator'].includes(role);
  const forbidden = () => says.problem(403, 'LYK-0505', 'Your role does not allow this', '');
  if (path === '/me/proof/options') {
    if (state.passkeys.size === 0) return says.problem(409, 'LYK-0730', 'There is no passkey');
    const allowCredentials = [...state.passkeys.keys()].map((id) => ({ id, type: 'public-key' }));
    return begin({ rpId: 'localhost', userVerification: 'required', allowCredentials });
  }
  if (path === '/me/proof') {
    if (!finished(await body())) return says.problem(422, 'LYK-0717', 'Not accepted');
    state.proved = true;
    return says.done();
  }
  if (path === '/me/passkeys/options') {
    if (!state.proved) return says.problem(403, 'LYK-0729', 'Adding a passkey needs a proof');
    return begin({
      rp: { id: 'localhost', name: 'Lykta' },
      user: { id: Buffer.from(me.name).toString('base64url'), name: me.name, displayName: me.name },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [...state.passkeys.keys()].map((id) => ({ id, type: 'public-key' })),
    });
  }
  if (path === '/me/passkeys' && method === 'POST') {
    const given = await body();
    if (!finished(given)) return says.problem(409, 'LYK-0716', 'The ceremony is over');
    const { id } = given.credential;
    state.passkeys.set(id, { id, name: given.name, added: iso(at), used: null });
    return created(state.passkeys.get(id));
  }
  if (path === '/me/passkeys') return says.json({ passkeys: [...state.passkeys.values()] });
  let is = /^\/me\/passkeys\/([^/]+)$/.exec(path);
  if (is) {
    state.passkeys.delete(decodeURIComponent(is[1]));
    return says.done();
  }
  if (path === '/me/sessions') return says.json({ sessions: state.sessions });
  if (path === '/me/sessions/end-others') {
    state.sessions = state.sessions.filter((s) => s.this);
    return says.done();
  }
  is = /^\/me\/sessions\/([^/]+)$/.exec(path);
  if (is) {
    state.sessions = state.sessions.filter((s) => s.id !== is[1]);
    return says.done();
  }

  if (path === '/people') {
    // The rest is the staff's to answer.
    for (const [id, person] of staff.people) {
      const known = state.ins.get(id) ?? {};
      staff.people.set(id, {
        role: '',
        areas: [],
        passkeys: 0,
        invited: null,
        ...known,
        ...person,
      });
    }
    return undefined;
  }
  is = /^\/people\/([^/]+)\/(invitation|sign-ins)$/.exec(path);
  if (is) {
    const id = decodeURIComponent(is[1]);
    const person = staff.people.get(id);
    if (!person) return says.problem(404, 'LYK-0502', 'Not found', '');
    if (is[2] === 'sign-ins') {
      if (!manages) return forbidden();
      Object.assign(person, { passkeys: 0, invited: null });
      state.ended.push(id);
      return says.done();
    }
    if (unproved(person.role)) return says.problem(403, 'LYK-0729', 'This needs a proof');
    const code = `lyk_i_${id}_${random()}`;
    person.invited = iso(at + 7 * day);
    const { name, role = '' } = person;
    state.invitations.set(code, { name, role, homes: [], expires: person.invited });
    const own = role === 'relative' ? '/family' : '';
    const link = `http://${asked.headers.host}${own}/invitation#${code}`;
    return created({ link, code, expires: person.invited });
  }
  is = /^\/people\/([^/]+)$/.exec(path);
  if (is && method === 'PUT') {
    // What is known of the ways in outlives a change of the entry.
    const id = decodeURIComponent(is[1]);
    const { passkeys = 0, invited = null } = staff.people.get(id) ?? {};
    state.ins.set(id, { passkeys, invited });
    return undefined;
  }

  if (path === '/overview/devices') {
    const area = query.get('area');
    const all = deviceStates(homes).filter((d) => !area || homes.get(d.home)?.area === area);
    return says.json({ devices: all, ...(state.cut && !area ? { cut: true } : {}) });
  }
  if (path === '/statistics') return manages ? says.json(counts(query)) : forbidden();
  if (path === '/visits') {
    const [from, to] = [Date.parse(query.get('from')), Date.parse(query.get('to'))];
    const area = query.get('area');
    return says.json({
      visits: [...state.visits.values()]
        .filter((v) => Date.parse(v.from) < to && Date.parse(v.to) > from && homes.has(v.home))
        .filter((v) => !area || homes.get(v.home).area === area)
        .map((v) => named(v, homes, staff))
        .sort((a, b) => a.from.localeCompare(b.from)),
    });
  }
  is = /^\/visits\/([^/]+)$/.exec(path);
  if (is && method === 'GET' && state.visits.has(is[1])) {
    return says.json(named(state.visits.get(is[1]), homes, staff));
  }
  if (is && method === 'PUT') {
    const id = decodeURIComponent(is[1]);
    const entry = await body();
    if (!(entry.from < entry.to)) {
      return says.problem(
        422,
        'LYK-0503',
        'The request is not well formed',
        'it ends after it begins',
      );
    }
    const before = state.visits.get(id);
    if ((before?.rev ?? 0) !== (entry.rev ?? 0)) {
      return says.problem(409, 'LYK-0532', 'Någon annan har ändrat besöket under tiden', '');
    }
    const visit = { ...visitBase, ...before, ...entry, id };
    Object.assign(visit, { changed: iso(at), by: me.name, rev: (entry.rev ?? 0) + 1 });
    state.visits.set(id, visit);
    return says.json(named(visit, homes, staff));
  }

  if (path === '/homes' && method === 'POST') {
    if (!manages) return forbidden();
    const entry = await body();
    if (homes.has(entry.id) || [...homes.values()].some((h) => h.gateway === entry.gateway)) {
      return says.problem(409, 'LYK-0508', 'The id or the gateway is taken', '');
    }
    const home = {
      check_ins: [],
      ...entry,
      online: false,
      last_heard: null,
      silent: false,
      clock_ok: true,
      spool_depth: 0,
      last_check_in: null,
      last_activity: null,
      devices_silent: 0,
      battery_low: 0,
      protection: 'never_tested',
      tested: null,
      own_test: null,
      devices: [],
      last: [],
    };
    homes.set(entry.id, home);
    return created({ ...home, open_alerts: 0, highest_severity: '' });
  }
  is = /^\/homes\/([^/]+)$/.exec(path);
  if (is && method === 'PUT') {
    const home = Object.assign(homes.get(decodeURIComponent(is[1])), await body());
    delete home.fault; // what is set anew can be read
    return says.json({ ...home, open_alerts: 0, highest_severity: '' });
  }
  is = /^\/homes\/([^/]+)\/(pair|locate|rooms)$/.exec(path);
  if (is) {
    const id = decodeURIComponent(is[1]);
    if (is[2] === 'rooms') {
      if (method === 'GET') return says.json(state.rooms.get(id) ?? { rooms: {}, actions: {} });
      const placed = await body();
      state.rooms.set(id, placed);
      for (const d of homes.get(id)?.devices ?? []) d.room = placed.rooms[d.device] ?? d.room;
      return says.done();
    }
    if (is[2] === 'pair') state.pairing.set(id, at + (await body()).seconds * 1000);
    says.res.writeHead(202);
    return says.res.end();
  }
  return undefined;
}

const named = (visit, homes, staff) => ({
  ...visit,
  home_name: homes.get(visit.home)?.name ?? visit.home,
  who: staff.people.get(visit.person)?.name ?? '',
});
