// Invented people for the mock server, and what their homes say on an ordinary
// day. The same seed gives the same day.
const minute = 60_000;
const hour = 60 * minute;

const named = [
  ['marta', 'Märta Lindqvist'],
  ['sven', 'Sven Åkesson'],
  ['holm', 'Ingrid och Karl-Erik Holm'],
  ['astrid', 'Astrid Bergström'],
  ['gunnar', 'Gunnar Öberg'],
];
const first = [
  'Alva',
  'Birger',
  'Britta',
  'Elsa',
  'Erik',
  'Gösta',
  'Inga',
  'Karin',
  'Lennart',
  'Maj',
];
const family = ['Andersson', 'Björk', 'Ek', 'Gran', 'Lund', 'Nyström', 'Sjöberg', 'Åberg', 'Öst'];

function random(seed) {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s ^ (s >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((s ^ (s >>> 13)) >>> 0) / 2 ** 32;
  };
}

const hash = (text) => [...text].reduce((h, c) => (Math.imul(h, 31) + c.codePointAt(0)) | 0, 7);

/** Homes and alerts as they stand at `at`. Calm: nothing is wrong anywhere. */
export function household(count, at, calm) {
  const iso = (ms) => new Date(ms).toISOString();
  const homes = new Map();
  const alike = [];
  for (let i = 0; i < count; i++) {
    const [id, name] = named[i] ?? [
      `home-${i}`,
      `${first[i % first.length]} ${family[Math.floor(i / first.length) % family.length]} ${i}`,
    ];
    // The many are alike: a day of two thousand homes takes too long to invent.
    const { last, said } = (alike[i % named.length] ??= {
      last: dayOfReadings({ id }, at - 3 * hour, at),
      said: dayOfReadings({ id }, at - 24 * hour, at).findLast((r) => r.kind === 'check_in'),
    });
    const activity = last.filter((r) => r.kind === 'motion' && r.v === 1).at(-1);
    homes.set(id, {
      id,
      name,
      gateway: `gw-${id}`,
      online: true,
      last_heard: iso(at - 8_000),
      silent: false,
      clock_ok: true,
      spool_depth: 0,
      last_check_in: said?.t ?? null,
      check_ins: i === 3 ? [] : [{ from: 420, by: 600 }],
      zone: 'Europe/Stockholm',
      last_activity: activity ? { t: activity.t, room: activity.room, kind: activity.kind } : null,
      devices_silent: 0,
      battery_low: 0,
      area: i % 3 === 1 ? 'Söder' : 'Norr',
      protection: 'protected',
      tested: iso(at - 12 * 24 * hour),
      own_test: iso(at - 10 * hour),
      devices: devices.map((d) => ({ ...d, last_seen: iso(at - 2 * minute), silent: false })),
      last: latest(last),
    });
  }
  const alerts = new Map();
  if (!calm && count >= 5) trouble(homes, alerts, at, iso);
  return { homes, alerts };
}

const devices = [
  { device: 'kok-rorelse', room: 'kitchen', kinds: ['motion', 'battery'], battery: 84 },
  {
    device: 'kok-klimat',
    room: 'kitchen',
    kinds: ['temperature', 'humidity', 'battery'],
    battery: 71,
  },
  { device: 'sovrum-sang', room: 'bedroom', kinds: ['pressure', 'battery'], battery: 66 },
  {
    device: 'sovrum-klimat',
    room: 'bedroom',
    kinds: ['temperature', 'humidity', 'battery'],
    battery: 90,
  },
  { device: 'badrum-rorelse', room: 'bathroom', kinds: ['motion', 'battery'], battery: 58 },
  { device: 'vardagsrum-rorelse', room: 'living_room', kinds: ['motion', 'battery'], battery: 77 },
  { device: 'hall-dorr', room: 'hall', kinds: ['contact', 'battery'], battery: 93 },
  { device: 'knapp-1', room: 'bedroom', kinds: ['sos', 'check_in', 'battery'], battery: null },
];

function latest(readings) {
  const last = new Map();
  for (const r of readings) last.set(`${r.device} ${r.kind}`, r);
  return [...last.values()];
}

function trouble(homes, alerts, at, iso) {
  const put = (alert) =>
    alerts.set(alert.id, {
      state: 'open',
      stage: alert.state ?? 'open',
      device: '',
      room: '',
      raised: iso(Date.parse(alert.observed) + 1_000),
      home_name: homes.get(alert.home).name,
      ...alert,
    });
  put({
    id: 'a1',
    home: 'marta',
    kind: 'sos',
    severity: 'emergency',
    device: 'knapp-1',
    room: 'bedroom',
    observed: iso(at - 4 * minute),
  });
  put({
    id: 'a2',
    home: 'sven',
    kind: 'fall',
    severity: 'emergency',
    state: 'acknowledged',
    device: 'fall-1',
    room: 'bathroom',
    observed: iso(at - 21 * minute),
    acknowledged_by: 'Björn Falk',
    acknowledged_at: iso(at - 19 * minute),
    held_by: 'Björn Falk',
    held_at: iso(at - 19 * minute),
    stage: 'on_the_way',
    left_at: iso(at - 5 * minute),
    expected: iso(at + 7 * minute),
    reached: iso(at - 18 * minute),
    heard: iso(at - 18 * minute),
  });
  put({
    id: 'a3',
    home: 'gunnar',
    kind: 'gateway_silent',
    severity: 'attention',
    observed: iso(at - 52 * minute),
  });
  put({
    id: 'a4',
    home: 'holm',
    kind: 'check_in_missed',
    severity: 'attention',
    observed: iso(at - 4 * hour),
  });
  put({
    id: 'a5',
    home: 'holm',
    kind: 'battery_low',
    severity: 'technical',
    device: 'hall-dorr',
    room: 'hall',
    observed: iso(at - 26 * hour),
  });
  // A kind and a severity that a later server may know and this app does not.
  put({
    id: 'a6',
    home: 'astrid',
    kind: 'stove_left_on',
    severity: 'curious',
    device: 'spis',
    room: 'kok',
    observed: iso(at - 33 * minute),
  });
  // Told of the whole way round, and nobody has answered.
  Object.assign(alerts.get('a4'), { unheard: true });
  Object.assign(homes.get('gunnar'), { protection: 'never_tested', tested: null, own_test: null });
  Object.assign(homes.get('holm'), { protection: 'test_due', tested: iso(at - 41 * 24 * hour) });
  alerts.set('old', {
    id: 'old',
    home: 'marta',
    home_name: homes.get('marta').name,
    kind: 'gateway_silent',
    severity: 'attention',
    state: 'resolved',
    stage: 'resolved',
    device: '',
    room: '',
    observed: iso(at - 3 * hour - 20 * minute),
    raised: iso(at - 3 * hour - 17 * minute),
    recovered: iso(at - 2 * hour),
    resolved_at: iso(at - 2 * hour),
    outcome: 'recovered',
  });
  Object.assign(homes.get('marta'), {
    silences: [[at - 3 * hour - 20 * minute, at - 2 * hour]],
    sos: at - 4 * minute,
  });
  Object.assign(homes.get('gunnar'), {
    online: false,
    silent: true,
    last_heard: iso(at - 52 * minute),
    silences: [[at - 52 * minute, at + 24 * hour]],
    last_activity: { t: iso(at - 55 * minute), room: 'kitchen', kind: 'motion' },
  });
  const holm = homes.get('holm');
  Object.assign(holm, { last_check_in: iso(at - 30 * hour), battery_low: 1, devices_silent: 1 });
  holm.devices = holm.devices.map((d) =>
    d.device === 'hall-dorr'
      ? { ...d, battery: 9, battery_low: true }
      : d.device === 'badrum-rorelse'
        ? { ...d, silent: true, last_seen: iso(at - 9 * hour) }
        : d,
  );
  Object.assign(homes.get('astrid'), { clock_ok: false, spool_depth: 1240 });
}

// What one does at each hour of the day, as chances of movement per ten minutes.
const habits = {
  kitchen: [
    0, 0, 0, 0, 0, 0.1, 0.6, 0.8, 0.4, 0.2, 0.2, 0.5, 0.8, 0.3, 0.2, 0.3, 0.3, 0.8, 0.6, 0.2, 0.2,
    0.1, 0, 0,
  ],
  living_room: [
    0, 0, 0, 0, 0, 0, 0.1, 0.2, 0.5, 0.7, 0.6, 0.4, 0.2, 0.6, 0.7, 0.6, 0.6, 0.2, 0.5, 0.8, 0.8,
    0.6, 0.1, 0,
  ],
  bathroom: [
    0.05, 0.05, 0.1, 0.1, 0.05, 0.1, 0.4, 0.3, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1,
    0.2, 0.1, 0.2, 0.4, 0.2, 0.05,
  ],
};
const sensors = {
  kitchen: 'kok-rorelse',
  living_room: 'vardagsrum-rorelse',
  bathroom: 'badrum-rorelse',
};
const offset = hour; // Stockholm in November

/** What the home says with from <= t < to, in order. */
export function dayOfReadings(home, from, to) {
  const out = [];
  const add = (t, device, kind, room, v, extra = {}) =>
    out.push({ t: new Date(t).toISOString(), device, kind, room, v, ...extra });
  const step = 10 * minute;
  for (let t = Math.floor((from - hour) / step) * step; t < to; t += step) {
    const rnd = random(hash(home.id) ^ (t / step));
    const local = new Date(t + offset);
    const h = local.getUTCHours();
    const ten = Math.floor(local.getUTCMinutes() / 10);
    for (const [room, chances] of Object.entries(habits)) {
      if (rnd() >= chances[h]) continue;
      const begin = t + rnd() * 5 * minute;
      add(begin, sensors[room], 'motion', room, 1);
      add(begin + (1 + rnd() * 7) * minute, sensors[room], 'motion', room, 0);
    }
    if (h === 22 && ten === 2) add(t + rnd() * step, 'sovrum-sang', 'pressure', 'bedroom', 1);
    if (h === 3 && ten === 1) add(t, 'sovrum-sang', 'pressure', 'bedroom', 0);
    if (h === 3 && ten === 2) add(t + 3 * minute, 'sovrum-sang', 'pressure', 'bedroom', 1);
    if (h === 6 && ten === 1) add(t + rnd() * step, 'sovrum-sang', 'pressure', 'bedroom', 0);
    if ((h === 9 || h === 11) && ten === 3) {
      add(t, 'hall-dorr', 'contact', 'hall', 1);
      add(t + 9 * minute, 'hall-dorr', 'contact', 'hall', 0);
    }
    if (h === 8 && ten === 0) add(t + 2 * minute, 'knapp-1', 'check_in', 'bedroom', 1);
    for (const [device, room] of [
      ['kok-klimat', 'kitchen'],
      ['sovrum-klimat', 'bedroom'],
    ]) {
      add(t, device, 'temperature', room, climate(room, t), { unit: 'Cel' });
      add(t, device, 'humidity', room, 38 + 6 * rnd(), { unit: '%RH' });
    }
  }
  if (home.sos) add(home.sos, 'knapp-1', 'sos', 'bedroom', 1, { s: 'emergency' });
  const silent = (t) => (home.silences ?? []).some(([a, b]) => t >= a && t < b);
  return out
    .filter((r) => Date.parse(r.t) >= from && Date.parse(r.t) < to && !silent(Date.parse(r.t)))
    .sort((a, b) => Date.parse(a.t) - Date.parse(b.t));
}

const climate = (room, t) =>
  Math.round(
    ((room === 'kitchen' ? 21.4 : 19.2) +
      1.3 * Math.sin(((t + offset) / hour / 24 - 0.35) * 2 * Math.PI) +
      0.3 * Math.sin(t / (37 * minute))) *
      10,
  ) / 10;

/** The home's numbers of one kind in steps such as "15m" or "6h". */
export function rolling(home, kind, from, to, every) {
  const step = Number.parseInt(every, 10) * (every.endsWith('h') ? hour : minute);
  const out = [];
  for (let t = Math.ceil(from / step) * step; t < to; t += step) {
    for (const [device, room] of [
      ['kok-klimat', 'kitchen'],
      ['sovrum-klimat', 'bedroom'],
    ]) {
      if ((home.silences ?? []).some(([a, b]) => t >= a && t < b)) continue;
      const v = kind === 'temperature' ? climate(room, t) : 40 + 3 * Math.sin(t / (5 * hour));
      out.push({
        t: new Date(t).toISOString(),
        device,
        kind,
        room,
        count: 2,
        min: v - 0.3,
        max: v + 0.4,
        mean: v,
        last: v + 0.1,
      });
    }
  }
  return out;
}
