// The part of the mock that is about what is written about residents, hand-over, search.
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const empty = {
  name: '',
  called: '',
  born: '',
  phone: '',
  address: '',
  entry: '',
  language: 'sv',
  important: '',
  wishes: '',
  ask: 0,
  changed: null,
  changed_by: '',
};

/** What this part knows at the start; `base` is the instant, in milliseconds. */
export function care(base) {
  const iso = (ms) => new Date(ms).toISOString();
  // Stockholm in November: midnight there is 23 UTC of the day before.
  const midnight = Math.floor((base + hour) / day) * day - hour;
  const cards = new Map([
    [
      'marta',
      {
        ...empty,
        name: 'Märta Lindqvist',
        called: 'Märta',
        born: '1938-04-17',
        phone: '08-746 06 10',
        address: 'Solrosvägen 12, 2 tr\n122 43 Stockholm',
        entry: 'Portkod 1947. Nyckel 23 i skåpet på kontoret.',
        important:
          'Allergisk mot penicillin. Hör dåligt på vänster öra: prata tydligt. Har en katt.',
        wishes: 'Vill ha kaffet före duschen. Klarar sig gärna själv men behöver tid.',
        ask: 600,
        changed: iso(base - 9 * day),
        changed_by: 'Björn Falk',
      },
    ],
    [
      'sven',
      {
        ...empty,
        name: 'Sven Åkesson',
        called: 'Sven',
        born: '1944',
        phone: '08-746 06 20',
        entry: 'Ring på, han öppnar själv.',
        important: 'Har fallit två gånger i höst.',
      },
    ],
  ]);
  const contacts = new Map([
    [
      'marta',
      [
        { person: 'lena', name: 'Lena Lindqvist', phone: '+46701740611', told: ['sos', 'fall'] },
        { person: 'grannen', name: 'Olle i trean', phone: '+46701740612', told: ['sos'] },
      ],
    ],
  ]);
  const note = (id, home, ago, author, kind, text, fields = {}) => ({
    id,
    home,
    at: iso(base - ago),
    written: iso(base - ago),
    late: false,
    author,
    person: author === 'Anna Berg' ? 'anna' : 'bjorn',
    kind,
    text,
    corrects: '',
    alert: '',
    ...fields,
  });
  const notes = [
    note(
      'n1',
      'marta',
      4 * hour,
      'Anna Berg',
      'visit',
      'Besök: allt väl. Åt gröt och drack kaffe.',
    ),
    note(
      'n2',
      'marta',
      17 * hour,
      'Björn Falk',
      'hand_over',
      'Märta var yr i går kväll. Titta till henne extra på förmiddagen.',
    ),
    note(
      'n3',
      'marta',
      30 * hour,
      'Björn Falk',
      'contact',
      'Pratade med dottern Lena. Hon kommer på söndag.',
    ),
    note(
      'n4',
      'sven',
      20 * hour,
      'Björn Falk',
      'observation',
      'Går ostadigt, rollatorn stod i hallen.',
    ),
    note('n5', 'marta', 29 * hour, 'Björn Falk', 'contact', 'Rättelse: Lena kommer på lördag.', {
      corrects: 'n3',
    }),
  ];
  const names = {
    marta: 'Märta Lindqvist',
    sven: 'Sven Åkesson',
    holm: 'Ingrid och Karl-Erik Holm',
    gunnar: 'Gunnar Öberg',
  };
  const visits = new Map();
  const visit = (id, home, from, to, fields = {}) =>
    visits.set(id, {
      id,
      home,
      home_name: names[home],
      from: iso(midnight + from * hour),
      to: iso(midnight + to * hour),
      person: 'anna',
      who: 'Anna Berg',
      what: 'Omvårdnad',
      video: false,
      state: 'planned',
      asked: '',
      asked_by: '',
      note: '',
      changed: iso(base - day),
      by: 'Eva Ek',
      rev: 1,
      ...fields,
    });
  visit('v1', 'marta', 8, 8.75, { what: 'Frukost och medicin', state: 'done', note: 'Allt väl' });
  visit('v2', 'gunnar', 9, 9.5, { what: 'Tillsyn', state: 'done' });
  visit('v3', 'sven', 11, 11.5, { what: 'Dusch' });
  visit('v4', 'marta', 14.25, 15, { what: 'Mellanmål och promenad' });
  visit('v5', 'holm', 14.75, 15, { what: 'Samtal om veckan', video: true });
  visit('v6', 'marta', 18, 18.5, { what: 'Kvällsmat', person: 'bjorn', who: 'Björn Falk' });
  visit('v7', 'marta', 38, 40, {
    what: 'Lena kommer och hälsar på',
    person: 'lena',
    who: 'Lena Lindqvist',
    state: 'requested',
    asked: 'lena',
    asked_by: 'Lena Lindqvist',
  });
  const reminders = new Map([
    [
      'marta',
      new Map([
        ['r1', { id: 'r1', text: 'Ta blodtrycksmedicinen', at: 480, days: [], medication: true }],
        ['r2', { id: 'r2', text: 'Ställ ut soporna', at: 1080, days: [4], medication: false }],
      ]),
    ],
  ]);
  const message = (id, ago, from, text, fields = {}) => ({
    id,
    from,
    person: 'anna',
    family: false,
    text,
    picture: false,
    at: iso(base - ago),
    until: null,
    reached: iso(base - ago + minute),
    heard: null,
    ...fields,
  });
  const messages = new Map([
    [
      'marta',
      [
        message('m1', 20 * minute, 'Anna Berg', 'Jag kommer en kvart senare i eftermiddag.', {
          reached: null,
        }),
        message('m2', 3 * hour, 'Lena', 'Hej mamma! Så här fint är det hos oss.', {
          person: 'lena',
          family: true,
          picture: true,
          heard: iso(base - 2 * hour),
        }),
        message('m3', 26 * hour, 'Björn Falk', 'Fotvården kommer på måndag klockan tio.'),
      ],
    ],
  ]);
  const wellBeing = {
    answers: Array.from({ length: 12 }, (_, i) => ({
      t: iso(midnight - i * day + 10.2 * hour),
      v: i === 3 || i === 4 ? 1 : i % 3 === 1 ? 2 : 3,
    })),
    medicines: Array.from({ length: 14 }, (_, i) => ({
      t: iso(midnight - i * day + 8.1 * hour),
      text: 'Ta blodtrycksmedicinen',
      v: i === 3 ? 0 : 1,
    })),
  };
  return {
    cards,
    contacts,
    notes,
    visits,
    reminders,
    messages,
    wellBeing,
    /** Decisions by home, oldest first. */
    decisions: new Map([
      [
        'marta',
        [
          decision('relatives', 'alerts', true, base - 60 * day, 'spoken', 'Anna Berg'),
          decision('relatives', 'check_in', true, base - 60 * day, 'screen', 'Märta Lindqvist'),
          decision(
            'person:lena',
            'activity',
            true,
            base - 20 * day,
            'paper',
            'Eva Ek',
            'Lena hjälper till hemma',
          ),
        ],
      ],
    ]),
    /** What was written: method, path, key and body. */
    log: [],
    /** Keys that were used, with their answers. */
    seen: new Map(),
    /** The next write under the path is refused: { path: RegExp, status, id, detail }. */
    refuse: null,
  };
}

/** A decision as the mock's server keeps it. */
export const decision = (party, field, allowed, at, how, by, purpose = '') => ({
  party,
  name: '',
  field,
  allowed,
  at: new Date(at).toISOString(),
  until: null,
  purpose,
  by,
  how,
});

const fields = [
  'check_in',
  'alerts',
  'visits',
  'messages',
  'video',
  'auto_answer',
  'activity',
  'health',
  'climate',
  'contacts',
  'notes',
  'home',
];
const decidable = ['video', 'activity', 'climate', 'health'];

function grants(state, staff, home) {
  const made = state.decisions.get(home) ?? [];
  const parties = [
    'staff',
    'relatives',
    ...(state.contacts.get(home) ?? []).map((c) => `person:${c.person}`),
  ];
  const nameOf = (party) => staff.people.get(party.slice('person:'.length))?.name ?? '';
  // Of a contact who cannot sign in, alarms alone are decided.
  const of = (party) => (party === 'person:grannen' ? ['alerts'] : fields);
  return parties.flatMap((party) =>
    of(party).map((field) => {
      const fixed =
        party === 'staff'
          ? ![...decidable, 'auto_answer'].includes(field)
          : field === 'notes' || field === 'home';
      const latest = made.findLast(
        (d) =>
          d.field === field &&
          (d.party === party || (party.startsWith('person:') && d.party === 'relatives')),
      );
      const blank = {
        allowed: field !== 'auto_answer' && (party === 'staff' || field === 'alerts'),
        at: null,
        until: null,
        purpose: '',
        by: '',
        how: '',
      };
      // What is decided about all relatives is not decided about this one.
      const own = latest?.party === party ? latest : latest && { allowed: latest.allowed };
      return { ...blank, ...(fixed ? {} : own), party, name: nameOf(party), field, fixed };
    }),
  );
}

/** Hours of movement, and of lying in bed, as an ordinary fortnight has them. */
function movements(kind, from, to) {
  const out = [];
  for (let t = Math.ceil(from / hour) * hour; t < to; t += hour) {
    const clock = (new Date(t).getUTCHours() + 1) % 24;
    const night = clock >= 22 || clock < 6;
    if (kind === 'pressure' && !night) continue;
    const n = (Math.floor(t / hour) * 7919) % 5;
    const count = kind === 'pressure' ? 1 : night ? 2 * (n % 2) : 6 + 2 * n;
    const mean = kind === 'pressure' ? (n === 0 ? 0.8 : 1) : 0.5;
    const room = kind === 'pressure' ? 'bedroom' : 'kitchen';
    out.push({
      t: new Date(t).toISOString(),
      device: 'd',
      kind,
      room,
      count,
      min: 0,
      max: 1,
      mean,
      last: 0,
    });
  }
  return out;
}

/** Whether the staff may see a field of a home. */
const sees = (state, staff, home, field) =>
  grants(state, staff, home).find((g) => g.party === 'staff' && g.field === field)?.allowed;

const fieldOf = {
  motion: 'activity',
  contact: 'activity',
  pressure: 'activity',
  temperature: 'climate',
  humidity: 'climate',
};

/** Of readings, devices or homes what the resident lets staff see, as the service leaves out the rest. */
export function visible(state, staff, home) {
  const refused = decidable.filter((field) => !sees(state, staff, home, field));
  const may = (kind) => !refused.includes(fieldOf[kind] ?? 'home');
  return {
    refused,
    readings: (all) => all.filter((r) => may(r.kind)),
    home: (h) => (may('motion') ? h : { ...h, last_activity: null }),
    device: (d) =>
      d.kinds.every(may)
        ? d
        : {
            ...d,
            kinds: d.kinds.filter(may),
            last_seen: `${d.last_seen.slice(0, 13)}:00:00.000Z`, // when a door was heard it was opened
          },
  };
}

/**
 * Answers what is asked with one of asked.says, or returns undefined when it is not for this part.
 *
 * @param {ReturnType<typeof care>} state
 */
export async function careApi(state, asked) {
  const { path, method, query, headers, says, me, at, homes, alerts, staff, authorised } = asked;
  if (!authorised) return undefined;
  const iso = (ms) => new Date(ms).toISOString();
  const inTime = (v) =>
    Date.parse(v.from) < Date.parse(query.get('to')) &&
    Date.parse(v.to) > Date.parse(query.get('from'));
  const answer = (body) => says.json(body) ?? true;

  const [, id, what, which, more] =
    /^\/homes\/([^/]+)\/([a-z-]+)(?:\/([^/]+))?(?:\/([a-z]+))?$/.exec(path) ?? [];
  const home = id && decodeURIComponent(id);
  const own = /^\/visits\/([^/]+)(\/went)?$/.exec(path);
  const mine =
    ['resident', 'notes', 'visits', 'reminders', 'messages', 'consent', 'well-being'].includes(
      what,
    ) ||
    (own && state.visits.has(own[1]));
  if (home && !homes.has(home) && mine) {
    return says.problem(404, 'LYK-0502', 'There is no such home') ?? true;
  }

  if (method !== 'GET' && mine) {
    const given = method === 'DELETE' ? {} : await asked.body();
    const key = headers['idempotency-key'];
    if (state.refuse?.path.test(path)) {
      const { status, id: problem, detail } = state.refuse;
      return says.problem(status, problem, 'Refused', detail) ?? true;
    }
    if (method === 'POST' && !key)
      return says.problem(400, 'LYK-0002', 'Idempotency-Key is missing') ?? true;
    if (key && state.seen.has(key)) return answer(state.seen.get(key));
    state.log.push({ method, path, key, ...given });
    const done = (body) => {
      if (key) state.seen.set(key, body);
      return answer(body);
    };
    if (own) {
      const visit = state.visits.get(own[1]);
      if (own[2] && ['cancelled', 'declined', 'requested'].includes(visit.state)) {
        return says.problem(409, 'LYK-0533', 'Besöket ställdes in under tiden') ?? true;
      }
      if (!own[2] && (given.rev ?? 0) !== visit.rev) {
        return says.problem(409, 'LYK-0532', 'Någon annan har ändrat besöket under tiden') ?? true;
      }
      Object.assign(visit, given, { changed: iso(at), by: me.name, rev: visit.rev + 1 });
      return done(visit);
    }
    if (what === 'resident') {
      state.cards.set(home, { ...given, changed: iso(at), changed_by: me.name });
      return says.done() ?? true;
    }
    if (what === 'notes') {
      const note = {
        id: `n${state.notes.length + 10}`,
        home,
        at: iso(at),
        author: me.name,
        person: me.person,
        late: false,
        ...given,
        written: given.written && Date.parse(given.written) < at ? given.written : iso(at),
      };
      state.notes.push(note);
      return done(note);
    }
    if (what === 'reminders') {
      const all = state.reminders.get(home) ?? new Map();
      state.reminders.set(home, all);
      if (method === 'DELETE') all.delete(which);
      else all.set(which, { id: which, ...given });
      return says.done() ?? true;
    }
    if (what === 'messages') {
      const all = state.messages.get(home) ?? [];
      if (method === 'DELETE') {
        state.messages.set(
          home,
          all.filter((m) => m.id !== which),
        );
        return says.done() ?? true;
      }
      const message = {
        id: `m${all.length + 10}`,
        from: me.name,
        person: me.person,
        family: false,
        text: given.text,
        picture: Boolean(given.picture),
        at: iso(at),
        until: given.until ?? null,
        reached: null,
        heard: null,
      };
      state.messages.set(home, [message, ...all]);
      return done(message);
    }
    if (what === 'consent') {
      const made = {
        ...decision(given.party, given.field, given.allowed, at, given.how, me.name, given.purpose),
        until: given.until,
      };
      state.decisions.set(home, [...(state.decisions.get(home) ?? []), made]);
      return done(made);
    }
    return undefined;
  }
  if (method !== 'GET') return undefined;

  const refused = (field) =>
    says.problem(403, 'LYK-0505', `The resident has not allowed ${field}`) ?? true;
  if (what === 'resident') {
    return answer({
      ...empty,
      name: homes.get(home).name,
      ...state.cards.get(home),
      contacts: state.contacts.get(home) ?? [],
    });
  }
  if (what === 'notes') {
    const before = query.get('before');
    const all = state.notes
      .filter((n) => n.home === home && (!before || n.written < before))
      .sort((a, b) => b.written.localeCompare(a.written));
    return answer({ notes: all.slice(0, Number(query.get('limit') ?? 50)) });
  }
  if (what === 'visits') {
    return answer({
      visits: [...state.visits.values()].filter((v) => v.home === home && inTime(v)),
    });
  }
  if (own && state.visits.has(own[1])) return answer(state.visits.get(own[1]));
  if (path === '/visits' && query.get('person')) {
    const person = query.get('person');
    return answer({
      visits: [...state.visits.values()].filter((v) => v.person === person && inTime(v)),
    });
  }
  if (what === 'reminders')
    return answer({ reminders: [...(state.reminders.get(home) ?? new Map()).values()] });
  if (what === 'messages' && more === 'picture') {
    asked.says.res.writeHead(200, { 'Content-Type': 'image/svg+xml' });
    asked.says.res.end(
      '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="220"><rect width="320" height="220" fill="#9ec9dd"/><rect y="140" width="320" height="80" fill="#5d8a55"/><circle cx="250" cy="55" r="28" fill="#ffd873"/></svg>',
    );
    return true;
  }
  if (what === 'messages') return answer({ messages: state.messages.get(home) ?? [] });
  if (what === 'consent') {
    const named = (d) => ({
      ...d,
      name: staff.people.get(d.party.slice('person:'.length))?.name ?? '',
    });
    return answer({
      grants: grants(state, staff, home),
      history: (state.decisions.get(home) ?? []).map(named).reverse(),
    });
  }
  if (what === 'well-being') {
    if (!sees(state, staff, home, 'health')) return refused('health');
    return answer(home === 'marta' ? state.wellBeing : { answers: [], medicines: [] });
  }
  const kind = query.get('kind');
  if (what === 'readings' && visible(state, staff, home).refused.includes(fieldOf[kind]))
    return refused(fieldOf[kind]);
  if (what === 'readings' && query.get('every') && (kind === 'motion' || kind === 'pressure')) {
    return answer({ windows: movements(kind, Date.parse(query.get('from')), at) });
  }
  if (path === '/search') {
    const words = (query.get('q') ?? '').toLowerCase();
    const has = (text) => text.toLowerCase().includes(words);
    const found = [
      ...[...homes.values()]
        .filter((h) => has(h.name))
        .map((h) => ({
          type: 'home',
          home: h.id,
          home_name: h.name,
          title: h.name,
          text: state.cards.get(h.id)?.address ?? '',
          at: null,
        })),
      ...[...state.contacts].flatMap(([h, list]) =>
        list
          .filter((c) => has(c.name))
          .map((c) => ({
            type: 'person',
            home: h,
            home_name: homes.get(h)?.name ?? '',
            title: c.name,
            text: c.phone,
            at: null,
          })),
      ),
      ...state.notes
        .filter((n) => has(n.text))
        .map((n) => ({
          type: 'note',
          home: n.home,
          home_name: homes.get(n.home)?.name ?? '',
          title: n.author,
          text: n.text,
          at: n.at,
        })),
    ];
    return answer({ results: found.slice(0, 30) });
  }
  if (path === '/hand-over') {
    const [from, to] = [Date.parse(query.get('from')), Date.parse(query.get('to'))];
    const within = (t) => t && Date.parse(t) >= from && Date.parse(t) < to;
    const area = query.get('area');
    const here = (h) => homes.has(h) && (!area || homes.get(h).area === area);
    const all = [...alerts.values()].filter((a) => here(a.home));
    const planned = [...state.visits.values()].filter((v) => here(v.home) && within(v.from));
    return answer({
      from: query.get('from'),
      to: query.get('to'),
      alerts: all.filter((a) => within(a.raised) || within(a.resolved_at)),
      open: all.filter((a) => a.state !== 'resolved'),
      notes: state.notes
        .filter((n) => here(n.home) && (within(n.written) || within(n.at)))
        .map((n) => ({ ...n, late: n.at !== n.written && !within(n.written) }))
        .sort(
          (a, b) =>
            Number(b.kind === 'hand_over') - Number(a.kind === 'hand_over') ||
            b.written.localeCompare(a.written),
        ),
      visits: {
        done: planned.filter((v) => v.state === 'done').length,
        missed: planned.filter((v) => v.state === 'missed'),
        open: planned.filter((v) => v.state === 'planned'),
      },
      silences: [...staff.silences.values()].filter((s) => here(s.home)),
      silent_homes: [...homes.values()]
        .filter((h) => h.silent && here(h.id))
        .map((h) => ({ home: h.id, name: h.name, since: h.last_heard })),
    });
  }
  return undefined;
}
