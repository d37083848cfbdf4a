import * as api from '../../caregiver/care/api';
import { CardPart } from '../../caregiver/care/card';
import { Refusal, RefusedDeeds, Sentences, Shown, Sign, Unsent } from '../../caregiver/care/common';
import { ConsentPart } from '../../caregiver/care/consent';
import { HandOverScreen } from '../../caregiver/care/handover';
import { FeltToday, LatestNotes, Parts, Who } from '../../caregiver/care/header';
import { MessagesPart } from '../../caregiver/care/messages';
import { NotesPart } from '../../caregiver/care/notes';
import { NoteForm, setDraft } from '../../caregiver/care/notewriting';
import type { PartProps } from '../../caregiver/care/parts';
import { SearchScreen } from '../../caregiver/care/search';
import { ShiftScreen } from '../../caregiver/care/shift';
import { TrendsPart } from '../../caregiver/care/trends';
import { HomeVisits, VisitRow } from '../../caregiver/care/visits';
import type { Asked } from '../../caregiver/asking';
import type { CareDeed } from '../../caregiver/carequeue';
import { refusals, written } from '../../caregiver/state';
import { press, unfold, write, type Group, type Specimen } from '../specimen';
import type { StateKey } from '../texts';
import { iso, saturday, type World } from '../world';

const zone = 'Europe/Stockholm';
const me = 'Anna Berg';
const text = 'Åt bra och var på gott humör. Ville vila efter duschen.';

const deed = (kind: CareDeed['kind'], home: string, path: string, body: object): CareDeed => ({
  ...{ key: `${home} ${path}`, who: me, at: saturday - 120_000, kind, home, path },
  ...{ what: 'Märta Lindqvist', method: 'POST', body: body as CareDeed['body'] },
});

const note = deed('note', 'unsent', '/homes/unsent/notes', { text, kind: 'visit' });
const message = deed('message', 'unsent', '/homes/unsent/messages', { text: 'Jag kommer snart.' });
const refused = deed('note', 'refused', '/homes/refused/notes', { text, kind: 'visit' });
const sending = deed('visit', 'marta', '/visits/sending', { state: 'done' });
const late = deed('visit', 'marta', '/visits/unsent', { state: 'done' });

/** What was written about homes that are named for it, and has not arrived. */
export function putWritten(world: World, alone: boolean): void {
  for (const id of ['unsent', 'refused']) {
    world.homes.set(id, { ...world.homes.get('sven')!, id });
  }
  written.waiting.value = alone ? [] : [note, message, sending, late];
  written.sending.value = alone ? '' : sending.key;
  refusals.all.value = [
    { deed: refused, detail: 'Texten är längre än 4 000 tecken', id: 'LYK-0503' },
  ];
}

const asked = <T,>(fields: Partial<Asked<T>>): Asked<T> => ({
  ...{ value: undefined, failed: '', status: 0, again: () => {} },
  ...fields,
});

const card: api.Resident = {
  ...{ name: 'Märta Lindqvist', called: 'Märta', born: '1938-04-17', phone: '08-746 06 10' },
  address: 'Solrosvägen 12, 2 tr\n122 43 Stockholm',
  entry: 'Portkod 1947. Nyckel 23 i skåpet på kontoret.',
  language: 'sv',
  important: 'Allergisk mot penicillin. Hör dåligt på vänster öra: prata tydligt. Har en katt.',
  wishes: 'Vill ha kaffet före duschen.',
  ...{ ask: 600, changed: iso(9 * 24 * 60), changed_by: 'Björn Falk' },
  contacts: [
    { person: 'lena', name: 'Lena Lindqvist', phone: '+46701740611', told: ['sos', 'fall'] },
    { person: 'grannen', name: 'Olle i trean', phone: '+46701740612', told: [] },
  ],
};
const blank: api.Resident = {
  ...{ name: '', called: '', born: '', phone: '', address: '', entry: '', language: 'sv' },
  ...{ important: '', wishes: '', ask: 0, changed: null, changed_by: '', contacts: [] },
};

const props = (
  id: string,
  resident: Partial<Asked<api.Resident>> = { value: card },
): PartProps => ({
  ...{ id, name: 'Märta', zone },
  resident: asked(resident),
  refused: new Set(),
});

const visit = (fields: Partial<api.Visit> = {}): api.Visit => ({
  ...{ id: 'v', home: 'marta', home_name: 'Märta Lindqvist', from: iso(-30), to: iso(-60) },
  ...{ person: 'anna', who: me, what: 'Mellanmål och promenad', video: false, state: 'planned' },
  ...{ asked: '', asked_by: '', note: '', changed: null, by: '' },
  ...fields,
});

const row = (state: StateKey, fields: Partial<api.Visit>, rest: object = {}): Specimen => ({
  state,
  show: () => (
    <ul class="visits">
      <VisitRow visit={visit({ id: state, ...fields })} zone={zone} {...rest} />
    </ul>
  ),
});

const moods = (show: (id: string) => preact.JSX.Element): Specimen[] => [
  { state: 'default', show: () => show('marta') },
  { state: 'empty', show: () => show('gunnar') },
  { state: 'loading', show: () => show('slow') },
  { state: 'failed', show: () => show('broken') },
  { state: 'cut', show: () => show('cut') },
  { state: 'not_allowed', show: () => show('refusing') },
];

/** What is written about residents, and what the shift is made of. */
export const careGroup = (world: () => World): Group => ({
  group: 'care',
  sections: [
    {
      name: 'Who',
      states: [
        {
          state: 'default',
          show: () => <Who home="marta" name="Märta Lindqvist" card={card} at="day" zone={zone} />,
        },
        {
          state: 'loading',
          show: () => (
            <Who home="marta" name="Märta Lindqvist" card={undefined} at="day" zone={zone} />
          ),
        },
        {
          state: 'long',
          show: () => (
            <Who
              home="marta"
              name={world().homes.get('long')!.name}
              card={{ ...card, name: world().homes.get('long')!.name, called: '' }}
              at="day"
              zone={zone}
            />
          ),
        },
      ],
    },
    {
      name: 'Parts',
      states: [{ state: 'default', show: () => <Parts id="marta" name="Märta" part="notes" /> }],
    },
    {
      name: 'FeltToday',
      states: [
        {
          state: 'default',
          show: () => (
            <dl class="facts">
              <FeltToday home={world().homes.get('marta')!} />
            </dl>
          ),
        },
        {
          state: 'empty',
          show: () => (
            <dl class="facts">
              <FeltToday home={world().homes.get('sven')!} />
            </dl>
          ),
        },
      ],
    },
    {
      name: 'LatestNotes',
      states: moods((id) => <LatestNotes home={id} name="Märta" zone={zone} />),
    },
    {
      name: 'NotesPart',
      states: [
        ...moods((id) => <NotesPart {...props(id)} />),
        { state: 'unsent', show: () => <NotesPart {...props('unsent')} /> },
        { state: 'refused', show: () => <NotesPart {...props('refused')} /> },
      ],
    },
    {
      name: 'NoteForm',
      states: [
        { state: 'default', show: () => <NoteForm home="form" name="Märta" zone={zone} /> },
        {
          state: 'wrong',
          show: () => <NoteForm home="form-wrong" name="Märta" zone={zone} />,
          then: (root) => press(root, '[type=submit]'),
        },
        {
          state: 'correcting',
          show: () => {
            const corrects = {
              ...{ id: 'n', home: 'm', at: iso(60), author: me, person: 'anna', kind: 'visit' },
              ...{ text, corrects: '', alert: '', written: iso(60) },
            };
            setDraft('form-correct', { corrects, text: 'Duschade inte.' });
            return <NoteForm home="form-correct" name="Märta" zone={zone} />;
          },
        },
      ],
    },
    {
      name: 'MessagesPart',
      states: [
        ...moods((id) => <MessagesPart {...props(id)} />),
        { state: 'unsent', show: () => <MessagesPart {...props('unsent')} /> },
      ],
    },
    {
      name: 'HomeVisits',
      states: moods((id) => <HomeVisits home={id} name="Märta" zone={zone} />),
    },
    {
      name: 'VisitRow',
      states: [
        row('default', {}),
        row('next', {}, { next: true }),
        row('at_now', { from: iso(10), to: iso(-20) }),
        row('late', { from: iso(120), to: iso(60) }),
        row('done_visit', { state: 'done', note: 'Allt väl', from: iso(300), to: iso(260) }),
        row('missed', { state: 'missed', note: 'Ingen öppnade', from: iso(300), to: iso(260) }),
        row('cancelled', { state: 'cancelled', note: 'På sjukhus' }),
        row('requested', { state: 'requested', asked: 'lena', asked_by: 'Lena Lindqvist' }),
        row('video', { video: true }),
        row('nobody', { person: '', who: '' }),
        row('unsent', {}),
        row('sending', {}),
        row('of_many', {}, { many: true }),
        row('long', { what: `${text} ${text}`, home_name: 'long' }),
        {
          state: 'form',
          alone: {},
          show: () => (
            <ul class="visits">
              <VisitRow visit={visit()} zone={zone} />
            </ul>
          ),
          then: (root) => press(root, '.visit-done'),
        },
        {
          state: 'wrong',
          alone: {},
          show: () => (
            <ul class="visits">
              <VisitRow visit={visit()} zone={zone} />
            </ul>
          ),
          then: async (root) => {
            // The form of the row before is open still.
            if (!root.querySelector('.row-actions')) await press(root, '.visit-done');
            await press(root, '.row-actions button', 1);
          },
        },
      ],
    },
    {
      name: 'ConsentPart',
      states: [
        ...moods((id) => <ConsentPart {...props(id)} decided={() => {}} />),
        {
          state: 'open_all',
          show: () => <ConsentPart {...props('marta')} decided={() => {}} />,
          then: async (root) => {
            await unfold(root);
            for (const d of root.querySelectorAll('details')) d.open = true;
          },
        },
        {
          state: 'form',
          alone: {},
          show: () => <ConsentPart {...props('marta')} decided={() => {}} />,
          then: (root) => press(root, '.grant button'),
        },
      ],
    },
    {
      name: 'CardPart',
      states: [
        { state: 'default', show: () => <CardPart {...props('marta')} /> },
        { state: 'empty', show: () => <CardPart {...props('gunnar', { value: blank })} /> },
        { state: 'loading', show: () => <CardPart {...props('slow', {})} /> },
        { state: 'failed', show: () => <CardPart {...props('broken', { failed: 'LYK-0001' })} /> },
        {
          state: 'form',
          show: () => <CardPart {...props('marta')} />,
          then: (root) => press(root, 'button'),
        },
      ],
    },
    {
      name: 'TrendsPart',
      states: [
        ...moods((id) => <TrendsPart {...props(id)} />),
        {
          state: 'refused',
          show: () => (
            <TrendsPart {...props('marta')} refused={new Set(['activity', 'health', 'climate'])} />
          ),
        },
      ],
    },
    {
      name: 'ShiftScreen',
      states: [
        { state: 'default', show: () => <ShiftScreen /> },
        { state: 'empty', alone: { mood: 'empty' }, show: () => <ShiftScreen /> },
        { state: 'loading', alone: { mood: 'slow' }, show: () => <ShiftScreen /> },
        { state: 'failed', alone: { mood: 'broken' }, show: () => <ShiftScreen /> },
      ],
    },
    {
      name: 'HandOverScreen',
      states: [
        { state: 'default', show: () => <HandOverScreen /> },
        { state: 'loading', alone: { mood: 'slow' }, show: () => <HandOverScreen /> },
        { state: 'failed', alone: { mood: 'broken' }, show: () => <HandOverScreen /> },
      ],
    },
    {
      name: 'SearchScreen',
      states: [
        { state: 'default', alone: {}, show: () => <SearchScreen /> },
        ...(
          [
            ['found', 'well', 'er'],
            ['empty', 'well', 'xyzzy'],
            ['busy', 'slow', 'er'],
            ['cut', 'cut', 'er'],
            ['failed', 'broken', 'er'],
          ] as const
        ).map(([state, mood, words]): Specimen => ({
          state,
          alone: { mood, after: () => {} },
          show: () => <SearchScreen />,
          then: async (root) => {
            await write(root, 'input', words);
            await new Promise((later) => setTimeout(later, 350));
          },
        })),
      ],
    },
    {
      name: 'Shown',
      states: [
        {
          state: 'default',
          show: () => <Shown asked={asked<string>({ value: text })}>{(v) => <p>{v}</p>}</Shown>,
        },
        { state: 'loading', show: () => <Shown asked={asked<string>({})}>{() => ''}</Shown> },
        {
          state: 'failed',
          show: () => <Shown asked={asked<string>({ failed: 'LYK-0001' })}>{() => ''}</Shown>,
        },
        {
          state: 'not_allowed',
          show: () => (
            <Shown name="Märta" asked={asked<string>({ failed: 'x', status: 403 })}>
              {() => ''}
            </Shown>
          ),
        },
      ],
    },
    {
      name: 'Refusal',
      states: [
        {
          state: 'many',
          show: () => (
            <div>
              {['activity', 'climate', 'health', 'server'].map((field) => (
                <Refusal key={field} field={field} name="Märta" home="marta" />
              ))}
            </div>
          ),
        },
      ],
    },
    {
      name: 'Unsent',
      states: [
        { state: 'unsent', show: () => <Unsent deed={note} /> },
        { state: 'sending', show: () => <Unsent deed={sending} /> },
      ],
    },
    {
      name: 'RefusedDeeds',
      states: [
        {
          state: 'default',
          show: () => <RefusedDeeds kind="note" home="refused" rewrite={() => {}} />,
        },
      ],
    },
    {
      name: 'Sentences',
      states: [
        {
          state: 'default',
          show: () => <Sentences sentences={['Mår bra.', 'Åt bra.', text]} choose={() => {}} />,
        },
      ],
    },
    {
      name: 'Sign',
      states: [
        {
          state: 'many',
          show: () => (
            <p>
              {['phone', 'key', 'hand', 'note', 'heart', 'important'].map((name) => (
                <span key={name} style={{ display: 'inline-flex', margin: '0 1em 0 0' }}>
                  <Sign name={name} /> {name}
                </span>
              ))}
            </p>
          ),
        },
      ],
    },
  ],
});
