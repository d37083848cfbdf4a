// The mock's staff: who is told of alerts and how it went, the rota, silences
// and tests. household.mjs has the homes.
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const bounds = {
  emergency: {
    rounds: 0,
    hold: 30,
    steps: [
      { groups: ['on_duty'], wait: 60 },
      { groups: ['on_duty', 'all_staff'], wait: 60 },
      { groups: ['last_resort', 'contacts', 'responders'], wait: 60 },
    ],
  },
  attention: {
    rounds: 3,
    hold: 120,
    steps: [
      { groups: ['on_duty'], wait: 600 },
      { groups: ['on_duty', 'all_staff'], wait: 1200 },
      { groups: ['last_resort'], wait: 1800 },
    ],
  },
  technical: { rounds: 1, hold: 1440, steps: [{ groups: ['on_duty'], wait: 86400 }] },
};

const member = (group, scope, person, alerts = []) => ({ group, scope, person, alerts });

/** Everything about the staff as it stands at `at`. */
export function team(at) {
  const iso = (ms) => new Date(ms).toISOString();
  const people = new Map();
  const put = (id, name, addresses, fields = {}) =>
    people.set(id, { id, name, language: 'sv', away: false, addresses, ...fields });
  const sms = (to) => ({ channel: 'sms', to });
  put('anna', 'Anna Berg', [{ channel: 'push', to: 'anna' }, sms('+46701740601')]);
  put('bjorn', 'Björn Falk', [sms('+46701740602'), { channel: 'voice', to: '+46701740602' }]);
  put('cecilia', 'Cecilia Ström', [{ channel: 'push', to: 'cecilia' }, sms('+46701740603')]);
  put('david', 'David Holmgren', [sms('+46701740604')], { away: true });
  put('centralen', 'Larmcentralen', [{ channel: 'voice', to: '+46701740600' }]);
  put('lena', 'Lena Lindqvist', [sms('+46701740611'), { channel: 'email', to: 'lena@example.se' }]);
  put('grannen', 'Olle i trean', [sms('+46701740612')]);
  const members = [
    member('all_staff', '', 'anna'),
    member('all_staff', '', 'bjorn'),
    member('all_staff', 'Söder', 'cecilia'),
    member('all_staff', 'Norr', 'david'),
    member('last_resort', '', 'centralen'),
    member('contacts', 'marta', 'lena', ['sos', 'fall']),
    member('responders', 'marta', 'grannen', ['sos']),
  ];
  // Stockholm in November: midnight there is 23 UTC of the day before.
  const midnight = Math.floor((at + hour) / day) * day - hour;
  const shifts = new Map();
  const shift = (person, area, d, from, to, fields = {}) => {
    const id = `${person}-${area}-${d}-${from}`;
    shifts.set(id, {
      id,
      area,
      person,
      from: iso(midnight + d * day + from * hour),
      to: iso(midnight + d * day + to * hour),
      override: false,
      ...fields,
    });
  };
  for (let d = -7; d < 10; d++) {
    shift('anna', 'Norr', d, 7, 15);
    shift('bjorn', 'Norr', d, 14.5, 22);
    // Two nights lack somebody.
    if (d !== 1 && d !== 4) shift('cecilia', 'Norr', d, 22, 31);
    shift('cecilia', 'Söder', d, 0, 24);
  }
  shift('david', 'Norr', 2, 7, 11, { override: true });
  return {
    people,
    members,
    shifts,
    policies: new Map(),
    silences: new Map([
      [
        'tyst-1',
        {
          id: 'tyst-1',
          home: 'astrid',
          device: '',
          kinds: [],
          from: iso(at - 5 * hour),
          to: iso(at + 3 * day),
          author: 'Björn Falk',
          reason: 'På sjukhus: höften',
        },
      ],
    ]),
    tests: new Map(),
    browsers: new Map(),
    pushKey:
      'BEl62iUYgUivxIkv69yViEuiBIa40HI0YUm7xE2VkTq1v8wVYqCkq8bOqXZ0iO1oQ2wH9o3VnTjM0y6W0n8Qv3M',
  };
}

/** Who was told of an alert of trouble(), when and how. */
export function chainOf(staff, alert, at) {
  const iso = (ms) => new Date(ms).toISOString();
  const raised = Date.parse(alert.raised);
  const name = (person) => staff.people.get(person)?.name ?? person;
  const told = (person, group, channel, after, state, fields = {}) => ({
    about: 'alarm',
    round: 0,
    step: 0,
    person,
    name: name(person),
    group,
    channel,
    state,
    tries: state === 'waiting' ? 0 : 1,
    decided: iso(raised + after),
    changed: iso(raised + after + 1_500),
    ...fields,
  });
  const deeds = [];
  const deed = (t, actor, action) => t && deeds.push({ at: t, actor, role: 'caregiver', action });
  deed(alert.acknowledged_at, alert.acknowledged_by, 'acknowledge');
  if (alert.held_by !== alert.acknowledged_by) deed(alert.held_at, alert.held_by, 'take over');
  deed(alert.left_at, alert.held_by, 'on the way');
  deed(alert.resolved_at, alert.resolved_by, 'resolve');
  const list = [];
  if (alert.untold) {
    // Nobody was found to tell.
  } else if (alert.test) {
    list.push(told(alert.tester ?? 'anna', 'tester', 'push', 200, 'accepted'));
  } else if (alert.severity === 'emergency') {
    list.push(told('anna', 'on_duty', 'push', 200, 'accepted'));
    list.push(told('anna', 'on_duty', 'sms', 900, 'failed', { reason: 'Twilio 30003' }));
    if (at - raised > minute) {
      list.push(told('bjorn', 'all_staff', 'sms', minute, 'delivered', { step: 1 }));
      list.push(told('cecilia', 'all_staff', 'push', minute, 'accepted', { step: 1 }));
    }
    if (at - raised > 2 * minute) {
      const voice = alert.state === 'open' ? 'waiting' : 'dropped';
      list.push(told('centralen', 'last_resort', 'voice', 2 * minute, voice, { step: 2 }));
      list.push(told('lena', 'contacts', 'sms', 2 * minute, 'delivered', { step: 2 }));
    }
  } else {
    list.push(told('anna', 'on_duty', 'push', 500, 'accepted'));
  }
  const over = alert.state === 'resolved' || alert.test;
  return {
    alert,
    told: list,
    deeds,
    next: over ? null : iso(Math.max(at, raised + 5 * minute) + 40_000),
    next_groups: over ? [] : ['last_resort', 'contacts'],
  };
}

/**
 * Answers what the API says of the staff; undefined for what is not about them.
 * `says` writes the answer: (status, body) or a problem (status, id, detail).
 */
export async function teamApi(staff, { path, method, query, body, me, at, homes, alerts, says }) {
  const iso = (ms) => new Date(ms).toISOString();
  const manages = me.role !== 'caregiver';
  const forbidden = () => says.problem(403, 'LYK-0505', 'Your role does not allow this', '');
  const lastResort = (people, members) =>
    members.some((m) => {
      const p = people.get(m.person);
      return m.group === 'last_resort' && m.scope === '' && p && !p.away && p.addresses.length > 0;
    });
  const keep =
    'somebody must be left as the last resort of every area, who can be reached and is not away';
  const refused = (detail) =>
    says.problem(422, 'LYK-0503', 'The request is not well formed', detail);

  let is = /^\/alerts\/([^/]+)\/chain$/.exec(path);
  if (is) {
    const alert = alerts.get(decodeURIComponent(is[1]));
    if (!alert) return says.problem(404, 'LYK-0502', 'Not found', '');
    return says.json(chainOf(staff, alert, at));
  }
  if (path === '/people') {
    const people = [...staff.people.values()].map(({ addresses, ...p }) => ({
      ...p,
      channels: addresses.map((a) => a.channel),
      ...(manages ? { addresses } : {}),
      groups: staff.members.filter((m) => m.person === p.id),
    }));
    return says.json({ people, last_resort: lastResort(staff.people, staff.members) });
  }
  is = /^\/people\/([^/]+)$/.exec(path);
  if (is && method === 'PUT') {
    if (!manages) return forbidden();
    const id = decodeURIComponent(is[1]);
    const entry = await body();
    for (const a of entry.addresses) {
      if (['sms', 'voice'].includes(a.channel) && !/^\+[1-9][0-9]{6,14}$/.test(a.to)) {
        return refused('the person cannot be stored: a telephone number is written +46701234567');
      }
    }
    const next = new Map(staff.people).set(id, { id, ...entry });
    if (lastResort(staff.people, staff.members) && !lastResort(next, staff.members)) {
      return refused(keep);
    }
    staff.people = next;
    return says.done();
  }
  is = /^\/groups\/([^/]+)\/members\/([^/]+)$/.exec(path);
  if (is) {
    if (!manages) return forbidden();
    const scope = query.get('scope') ?? '';
    const others = staff.members.filter(
      (m) => !(m.group === is[1] && m.person === is[2] && m.scope === scope),
    );
    if (method === 'PUT') {
      staff.members = [...others, member(is[1], scope, is[2], (await body()).alerts)];
      return says.done();
    }
    if (lastResort(staff.people, staff.members) && !lastResort(staff.people, others)) {
      return refused(keep);
    }
    staff.members = others;
    return says.done();
  }
  if (path === '/shifts') {
    const area = query.get('area') ?? '';
    const [from, to] = [Date.parse(query.get('from')), Date.parse(query.get('to'))];
    const all = [...staff.shifts.values()].filter((s) => s.area === area);
    const now = all.filter((s) => Date.parse(s.from) <= at && at < Date.parse(s.to));
    const counts = now.some((s) => s.override) ? now.filter((s) => s.override) : now;
    return says.json({
      shifts: all
        .filter((s) => Date.parse(s.to) > from && Date.parse(s.from) < to)
        .sort((a, b) => a.from.localeCompare(b.from)),
      on_duty: [...new Set(counts.map((s) => s.person))],
    });
  }
  is = /^\/shifts\/([^/]+)(\/hand-over)?$/.exec(path);
  if (is) {
    const id = decodeURIComponent(is[1]);
    if (is[2]) {
      const shift = staff.shifts.get(id);
      if (!shift) return says.problem(404, 'LYK-0502', 'Not found', '');
      const { person, at: from, next } = await body();
      staff.shifts.set(next, { ...shift, id: next, person, from });
      if (from <= shift.from) staff.shifts.delete(id);
      else staff.shifts.set(id, { ...shift, to: from });
      return says.done();
    }
    if (!manages) return forbidden();
    if (method === 'DELETE') staff.shifts.delete(id);
    else {
      const entry = await body();
      if (!(entry.from < entry.to)) {
        return refused('a shift begins before it ends, and lasts 31 days at most');
      }
      staff.shifts.set(id, { id, override: false, ...entry });
    }
    return says.done();
  }
  if (path === '/policies') {
    const area = query.get('area') ?? '';
    const policies = Object.keys(bounds).map((severity) => ({
      severity,
      ...(staff.policies.get(`${area} ${severity}`) ?? bounds[severity]),
    }));
    return says.json({ policies });
  }
  is = /^\/policies\/([^/]+)$/.exec(path);
  if (is && method === 'PUT') {
    if (!manages) return forbidden();
    staff.policies.set(`${query.get('area') ?? ''} ${is[1]}`, await body());
    return says.done();
  }
  if (path === '/silences') {
    const home = query.get('home');
    const silences = [...staff.silences.values()]
      .filter((s) => (!home || s.home === home) && homes.has(s.home))
      .map((s) => ({ ...s, home_name: homes.get(s.home).name }));
    return says.json({ silences });
  }
  is = /^\/homes\/([^/]+)\/silences$/.exec(path);
  if (is) {
    const home = decodeURIComponent(is[1]);
    const id = `tyst-${staff.silences.size + 10}`;
    const silence = { id, home, device: '', kinds: [], from: iso(at), author: me.name };
    staff.silences.set(id, { ...silence, ...(await body()) });
    return says.json({ ...staff.silences.get(id), home_name: homes.get(home).name });
  }
  is = /^\/silences\/([^/]+)\/end$/.exec(path);
  if (is) {
    staff.silences.delete(decodeURIComponent(is[1]));
    return says.done();
  }
  is = /^\/homes\/([^/]+)\/tests$/.exec(path);
  if (is) {
    const home = decodeURIComponent(is[1]);
    const tests = staff.tests.get(home) ?? [];
    if (method === 'GET') return says.json({ tests });
    if (method === 'DELETE') {
      Object.assign(tests[0] ?? {}, { state: 'failed', ended: iso(at), failed: 'no_press' });
      return says.done();
    }
    const test = {
      id: `prov-${tests.length}`,
      by: me.name,
      from: iso(at),
      to: iso(at + 10 * minute),
    };
    Object.assign(test, { state: 'awaited', passed: null, ended: null });
    staff.tests.set(home, [test, ...tests]);
    return says.json(test);
  }
  if (path === '/load') {
    if (!manages) return forbidden();
    return says.json(load(query, staff));
  }
  if (path === '/push') return says.json({ key: staff.pushKey });
  if (path === '/me/browser' || path === '/me/browser/forget') {
    if (!me.person) return says.problem(409, 'LYK-0510', 'This sign-in belongs to nobody', '');
    const { endpoint, keys, ...others } = await body();
    if (Object.keys(others).length > 0) return refused('unexpected property');
    if (path.endsWith('forget')) staff.browsers.delete(endpoint);
    else staff.browsers.set(endpoint, { person: me.person, keys });
    return says.done();
  }
  return undefined;
}

function load(query, staff) {
  const from = Date.parse(query.get('from'));
  const week = Math.floor(from / (7 * day)) % 3;
  const people = [
    ['anna', 21, 34, 3],
    ['bjorn', 17, 22, 9],
    ['cecilia', 9, 11, 11],
    ['centralen', 2, 2, 1],
  ];
  return {
    from: query.get('from'),
    to: query.get('to'),
    kinds: [
      {
        kind: 'sos',
        raised: 14 + week,
        outcomes: { helped: 9, false_press: 3, other: 1 },
        taken: 74,
      },
      { kind: 'fall', raised: 3, outcomes: { helped: 2, false_press: 1 }, taken: 48 },
      { kind: 'check_in_missed', raised: 11, outcomes: { helped: 1, recovered: 10 }, taken: 900 },
      { kind: 'gateway_silent', raised: 4, outcomes: { technical: 1, recovered: 3 }, taken: 2400 },
      { kind: 'battery_low', raised: 2, outcomes: { technical: 2 }, taken: null },
    ],
    people: people.map(([person, alerts, told, by_night]) => ({
      person,
      name: staff.people.get(person)?.name ?? person,
      alerts,
      told: told + week,
      by_night,
    })),
  };
}
