// The part of the mock that is about the relatives' app. It answers to who is
// signed in as a relative; the homes and alerts are those of the others.
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

const iso = (ms) => new Date(ms).toISOString();

/** A picture of one grey dot. */
const dot = Buffer.from(
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k=',
  'base64',
);

const everything = ['check_in', 'alerts', 'visits', 'messages', 'activity', 'health'];

/** What this part knows at the start; `base` is the instant, in milliseconds. */
export const family = (base) => {
  // Midnight in Stockholm in November.
  const midnight = Math.floor((base + hour) / day) * day - hour;
  const visit = (id, from, minutes, fields) => ({
    id,
    home: 'marta',
    home_name: 'Märta Lindqvist',
    from: iso(midnight + from),
    to: iso(midnight + from + minutes * minute),
    person: 'bjorn',
    who: 'Björn Falk',
    what: '',
    video: false,
    state: 'planned',
    asked: '',
    asked_by: '',
    note: '',
    changed: iso(base - day),
    by: 'Cecilia Norén',
    ...fields,
  });
  return {
    base,
    /**
     * What the relative may see: id -> home without its alerts.
     *
     * @type {Map<string, any>}
     */
    homes: new Map([
      [
        'marta',
        {
          home: 'marta',
          name: 'Märta',
          allowed: [...everything],
          refused: [],
          light: 'lit',
          checked_in: iso(midnight + 8 * hour + 12 * minute),
          check_in_by: iso(midnight + 10 * hour),
          visits: [
            visit('v1', 16 * hour, 30, { what: 'Middag' }),
            visit('v2', 20 * hour, 20, { what: 'Kvällstillsyn', who: 'Anna Berg' }),
            visit('v3', day + 8 * hour, 30, { what: 'Frukost' }),
            visit('v4', day + 11 * hour, 60, { who: '', video: true, what: 'Sköterskan ringer' }),
            visit('v5', 2 * day + 14 * hour, 60, {
              who: 'Maria Lindqvist',
              what: 'Fika',
              state: 'requested',
              asked: 'maria',
              asked_by: 'Maria Lindqvist',
            }),
            visit('v6', 3 * day + 9 * hour, 30, {
              who: 'Maria Lindqvist',
              what: 'Prata lite',
              video: true,
              state: 'declined',
              asked: 'maria',
              asked_by: 'Maria Lindqvist',
              note: 'Märta är hos tandläkaren då. Går det klockan 14?',
            }),
          ],
          activity: { today: 'usual', last: iso(base - 22 * minute) },
          health: [
            reading(base - 5 * hour, 'blood_pressure_systolic', 132),
            reading(base - 5 * hour, 'blood_pressure_diastolic', 81),
            reading(base - 5 * hour, 'pulse', 71),
            reading(base - day - 3 * hour, 'weight', 62.4),
            reading(base - 4 * hour, 'well_being', 3),
          ],
        },
      ],
    ]),
    /** @type {Map<string, any[]>} */
    messages: new Map([
      [
        'marta',
        [
          message('m2', base - 2 * hour, {
            text: 'Vi kommer på söndag med bullar. Kram från oss alla!',
            reached: iso(base - 2 * hour + minute),
          }),
          message('m1', base - day - 3 * hour, {
            text: 'Se vad Elsa har ritat till dig!',
            picture: true,
            until: iso(base + 5 * day),
            reached: iso(base - day - 3 * hour + minute),
            heard: iso(base - day - 2 * hour),
          }),
        ],
      ],
    ]),
    /** What was asked for, by idempotency key: it happens once. */
    seen: new Map(),
    /** @type {any[]} */
    sent: [],
  };
};

const reading = (t, kind, v) => ({ t: iso(t), device: 'kiosk', room: '', kind, v });

const message = (id, at, fields) => ({
  id,
  from: 'Maria Lindqvist',
  person: 'maria',
  family: true,
  text: '',
  picture: false,
  at: iso(at),
  until: iso(at + day),
  reached: null,
  heard: null,
  ...fields,
});

/** A second home, of which less is shared. */
export const bertil = (base) => ({
  home: 'sven',
  name: 'Sven',
  allowed: ['check_in'],
  refused: ['alerts', 'visits', 'messages', 'activity', 'health'],
  light: 'waiting',
  checked_in: null,
  check_in_by: iso(Math.floor((base + hour) / day) * day + 14 * hour),
  visits: [],
  activity: null,
  health: [],
});

/** A home as the service answers it. */
export function familyHome(home, alerts) {
  if (!home.allowed.includes('alerts')) return { ...home, calm: null, alerts: [] };
  const own = [...alerts.values()].filter((a) => a.home === home.home);
  return { ...home, calm: own.every((a) => a.state === 'resolved' || a.test), alerts: own };
}

/**
 * Answers what is asked with one of asked.says, or returns undefined when it is not for this part.
 *
 * @param {ReturnType<typeof family>} state
 */
export async function familyApi(state, asked) {
  const { path, method, body, says, me, at, alerts, headers } = asked;
  if (!asked.authorised || me.role !== 'relative') return undefined;
  const shown = (home) => familyHome(home, alerts);
  if (path === '/family') return says.json({ homes: [...state.homes.values()].map(shown) });

  const chain = /^\/alerts\/([^/]+)\/chain$/.exec(path);
  if (chain) {
    const alert = alerts.get(decodeURIComponent(chain[1]));
    if (!alert) return says.problem(404, 'LYK-0502', 'Not found', '');
    return says.json({
      alert,
      told: toldOf(alert),
      deeds: deedsOf(alert),
      next: null,
      next_groups: [],
    });
  }

  const is =
    /^\/(?:family\/)?homes\/([^/]+)(?:\/(messages|visits))?(?:\/([^/]+))?(\/picture)?$/.exec(path);
  if (!is) return undefined;
  const home = state.homes.get(decodeURIComponent(is[1]));
  if (!home) return says.problem(404, 'LYK-0502', 'Not found', '');
  if (!is[2]) return says.json(shown(home));
  const all = state.messages.get(home.home) ?? [];
  if (method === 'POST') {
    if (is[2] === 'messages' && !home.allowed.includes('messages')) {
      return says.problem(403, 'LYK-0505', 'Your role does not allow this', '');
    }
    const key = headers['idempotency-key'];
    const given = await body();
    state.sent.push({ what: is[2], key, ...given });
    const answer =
      state.seen.get(key) ?? make(is[2], given, { home, me, at, n: state.sent.length });
    if (!state.seen.has(key)) {
      if (is[2] === 'visits') home.visits.push(answer);
      else state.messages.set(home.home, [answer, ...all]);
      state.seen.set(key, answer);
    }
    says.res.writeHead(201, { 'Content-Type': 'application/json' });
    return says.res.end(JSON.stringify(answer));
  }
  if (is[2] !== 'messages') return undefined;
  if (is[4]) {
    says.res.writeHead(200, { 'Content-Type': 'image/jpeg' });
    return says.res.end(state.picture ?? dot);
  }
  if (method === 'DELETE') {
    state.messages.set(
      home.home,
      all.filter((m) => m.id !== decodeURIComponent(is[3])),
    );
    return says.done();
  }
  return says.json({ messages: all.map(({ jpeg: _, ...m }) => m) });
}

function make(what, given, { home, me, at, n }) {
  if (what === 'visits') {
    return {
      id: `asked-${n}`,
      home: home.home,
      home_name: home.name,
      person: '',
      who: me.name,
      state: 'requested',
      asked: me.person,
      asked_by: me.name,
      note: '',
      changed: iso(at),
      by: me.name,
      ...given,
    };
  }
  const { picture, ...rest } = given;
  return message(`sent-${n}`, at, { ...rest, picture: Boolean(picture), jpeg: picture });
}

function toldOf(alert) {
  const t = Date.parse(alert.raised);
  const told = (name, channel, state, after) => ({
    about: 'alarm',
    round: 0,
    step: 0,
    person: name,
    name,
    group: 'on_duty',
    channel,
    state,
    tries: 1,
    decided: iso(t + after),
    changed: iso(t + after + 2_000),
  });
  return [
    told('Anna Berg', 'push', 'delivered', 1_000),
    told('Björn Falk', 'sms', 'delivered', 1_000),
    told('Maria Lindqvist', 'push', 'accepted', 61_000),
  ];
}

function deedsOf(alert) {
  if (!alert.held_by) return [];
  return [{ at: alert.held_at, actor: alert.held_by, role: 'caregiver', action: 'acknowledge' }];
}
