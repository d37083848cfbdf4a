import type { Phase } from '../kiosk/call/course';
import type { Talk } from '../kiosk/call/model';
import { KioskCall } from '../kiosk/call/view';
import { fetchTexts, setLanguage } from '../kiosk/texts';
import type { Sos } from '../kiosk/status';
import { componentsOf, press, type Catalogue, type Section, type Specimen } from './specimen';
import { deedOf, letter, micros, ordinary, Whole, type Given } from './resident/model';
import type { StateKey } from './texts';

const on = (state: StateKey, given: Given, then?: Specimen['then']): Specimen => ({
  state,
  show: () => <Whole given={given} />,
  ...(then ? { then } : {}),
});

const sos = (state: string, fields: Partial<Sos> = {}): Given => ({
  status: { sos: { epoch: 'e', seq: 7, state, at: micros(2), ...fields } },
});
const anna = { by: 'Anna', told: micros(1) };

const prompt = (medication: boolean): Given => ({
  ask: {
    kind: 'prompt',
    key: 'p',
    prompt: { id: 'p', text: 'Alvedon, 2 tabletter', at: 840, medication },
  },
});
const asks = (fields: Parameters<typeof letter>[0] = {}): Given => ({
  ask: { kind: 'letter', key: 'letter l1', letter: letter(fields) },
});
const long =
  'Kära mamma! I går var vi i skogen och plockade svamp hela dagen, och barnen hittade mer än vi. '.repeat(
    9,
  );
const thanks = (kind: 'taken' | 'answer' | 'bad'): Given => ({ thanks: { kind, until: 1e9 } });
const nothing = () => {};
const caller = { call: 'c', by: 'Anna', role: 'staff', state: 'ringing' } as const;
const called = (phase: Phase, talk: Partial<Talk> = {}): Given => ({
  call: {
    phase,
    first: true,
    talk: { state: 'on', people: [], own: undefined, missing: '', line: 'good', ...talk },
    acts: {
      ...{ answer: nothing, decline: nothing, later: nothing, hangUp: nothing },
      ...{ callBack: nothing, noNeed: nothing, close: nothing, broken: nothing },
    },
    View: KioskCall,
  },
});
const blind = { picture: undefined, sound: undefined, mic: true };
const talking = (talk: Partial<Talk> = {}): Given =>
  called(
    { is: 'talk', call: { ...caller, state: 'answered' } },
    { people: [{ id: 'a', name: 'Anna', role: 'staff', ...blind }], ...talk },
  );
const grant = { party: 'relatives', field: 'check_in' };

const sections: [string, Section[]][] = [
  [
    'kiosk_day',
    [
      {
        name: 'Home',
        states: [
          on('default', {}),
          on('checked', { status: { check_in: { at: micros(180), state: 'received' } } }),
          on('checked_unsent', {
            status: { check_in: { at: micros(1), state: 'sending' }, online: false },
          }),
          on('saving', { deeds: { check_in: 'saving' } }),
          on('trouble', { deeds: { check_in: 'trouble' } }),
          on('no_visits', { status: { day: { ...ordinary, visits: [] } } }),
          on('visit_now', {
            status: {
              day: {
                ...ordinary,
                visits: [{ id: 'v', from: micros(5), to: micros(-25), who: 'Anna', what: 'Dusch' }],
              },
            },
          }),
          on('closed', sos('resolved', anna)),
          on('unknown_time', { status: { now: 0 } }),
          on('starting', { status: null }),
          on('largest', {
            settings: { language: undefined, text: 3, voice: true, night: true },
          }),
        ],
      },
    ],
  ],
  [
    'kiosk_help',
    [
      {
        name: 'HelpButton',
        states: [
          on('holding', { level: 0.6 }),
          on('hint_hold', { hint: 'hold' }),
          on('hint_twice', { hint: 'twice' }),
        ],
      },
      {
        name: 'Alarm',
        states: [
          on('saved', { deeds: { sos: 'saving' } }),
          on('not_saved', { deeds: { sos: 'trouble' } }),
          on('box_refused', { deeds: { sos: 'failed' } }),
          on('sending', sos('sending')),
          on('offline_sending', { status: { ...sos('sending').status, online: false } }),
          on('received', sos('received')),
          on('someone', sos('someone_has_it', anna)),
          on('on_the_way', sos('on_the_way', { ...anna, expected: micros(-12) })),
          on('on_the_way_late', sos('on_the_way', { ...anna, expected: micros(9) })),
          on('refused_press', sos('refused')),
          on('unknown_state', sos('something_new')),
          on('not_answering', { silent: 20_000 }),
          on('notice', {
            status: {
              ...sos('someone_has_it', anna).status,
              notice: { id: 'n', text: 'Hissen är trasig i dag.', at: micros(30) },
            },
          }),
        ],
      },
      {
        name: 'Night',
        states: [on('night', { dark: true }), on('night_silent', { dark: true, silent: 20_000 })],
      },
    ],
  ],
  [
    'kiosk_asks',
    [
      {
        name: 'Asking',
        states: [
          on('medicine', prompt(true)),
          on('reminder', prompt(false)),
          on('saving', { ...prompt(true), deeds: { [deedOf.prompt('p')]: 'saving' } }),
          on('trouble', { ...prompt(true), deeds: { [deedOf.prompt('p')]: 'trouble' } }),
          on('letter', asks()),
          on('letter_picture', asks({ picture: true })),
          on('letter_lost', asks({ picture: true, id: 'lost' })),
          on('letter_long', asks({ text: long })),
          on('reading', { ...asks(), reading: 'l1' }),
          on('no_voice', { ...asks(), voiceless: true }),
          on('question', { ask: { kind: 'question', key: 'how' } }),
          on('thanks_taken', thanks('taken')),
          on('thanks_answer', thanks('answer')),
          on('thanks_bad', thanks('bad')),
        ],
      },
    ],
  ],
  [
    'kiosk_calls',
    [
      {
        name: 'KioskCall',
        states: [
          on('call_ring', called({ is: 'ring', call: caller })),
          on('call_alarm', {
            ...called({ is: 'ring', call: { ...caller, alert: true } }),
            ...sos('someone_has_it', anna),
          }),
          on('call_countdown', called({ is: 'ring', call: caller, left: 12 })),
          on('call_joining', called({ is: 'talk', call: caller }, { state: 'joining' })),
          on('call_talk', talking()),
          on('call_paused', talking({ line: 'paused' })),
          on('call_lost', talking({ state: 'lost' })),
          on('call_no_camera', talking({ missing: 'camera' })),
          on('call_over', called({ is: 'over', by: 'Anna', talked: true })),
          ...(['withdrawn', 'off'] as const).map((why) =>
            on(`call_${why}`, called({ is: 'over', by: 'Anna', talked: true, why })),
          ),
          on('call_later', called({ is: 'later', by: 'Anna' })),
          on(
            'call_missed',
            called({ is: 'missed', missed: { call: 'm', by: 'Anna', at: micros(9) } }),
          ),
          on('call_asked', called({ is: 'asked', by: 'Anna' })),
        ],
      },
    ],
  ],
  [
    'kiosk_pages',
    [
      {
        name: 'MyDay',
        states: [
          on('default', { pages: [{ name: 'day' }] }),
          on('next', { pages: [{ name: 'day' }] }, (root) => press(root, '.turner button', 1)),
          on('empty', { pages: [{ name: 'day' }], status: { day: {} } }),
        ],
      },
      {
        name: 'Letters',
        states: [
          on('default', {
            pages: [{ name: 'letters' }],
            status: { messages: [letter(), letter({ id: 'l2', from: 'Anna', family: false })] },
          }),
          on('letter_long', {
            pages: [{ name: 'letters' }],
            status: { messages: [letter({ text: long })] },
          }),
          on('empty', { pages: [{ name: 'letters' }] }),
        ],
      },
      { name: 'MyData', states: [on('default', { pages: [{ name: 'data' }] })] },
      {
        name: 'Looks',
        states: [
          on('default', { pages: [{ name: 'looks' }] }),
          on('empty', { pages: [{ name: 'looks' }], status: { day: {} } }),
        ],
      },
      {
        name: 'PartyGrants',
        states: [
          on('party', { pages: [{ name: 'party', party: 'relatives' }] }),
          on('fixed', { pages: [{ name: 'party', party: 'staff' }] }),
          on('empty', { pages: [{ name: 'party', party: 'nobody' }] }),
        ],
      },
      {
        name: 'GrantChange',
        states: [
          on('grant_yes', { pages: [{ name: 'grant', ...grant }] }),
          on('grant_no', { pages: [{ name: 'grant', ...grant, field: 'health' }] }),
          on('saving', {
            pages: [{ name: 'grant', ...grant }],
            deeds: { [deedOf.grant(grant)]: 'saving' },
          }),
          on('failed', {
            pages: [{ name: 'grant', ...grant }],
            deeds: { [deedOf.grant(grant)]: 'failed' },
          }),
        ],
      },
      { name: 'SettingsPage', states: [on('default', { pages: [{ name: 'settings' }] })] },
    ],
  ],
];

const catalogue: Catalogue = {
  framed: true,
  groups: sections.map(([group, own]) => ({ group, sections: own })),
  components: componentsOf(
    import.meta.glob(['../kiosk/**/*.tsx', '!../kiosk/main.tsx'], { eager: true }),
  ),
  async speak(l) {
    await fetchTexts();
    setLanguage(l);
  },
  know: () => {},
  async dress() {
    await import('../kiosk/kiosk.css');
    await import('../kiosk/faces.css');
  },
};

export default catalogue;
