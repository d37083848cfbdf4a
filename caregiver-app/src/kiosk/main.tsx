import { render } from 'preact';
import '../shared/tokens.css';
import './kiosk.css';
import './faces.css';
import { asksOf, Aside, done, notNow, type Ask } from './asks';
import type { Calls } from './call/calls';
import { letterAloud, checkInState } from './daywords';
import { Deeds, help as helpDeed, post, randomKey } from './deeds';
import { fit } from './fit';
import { makeHelp } from './help';
import { local } from './local';
import { deedOf, type Acts, type Model, type Page, type Thanks } from './model';
import { awakeFor, isDark, isDaytime } from './night';
import { faceOf, Screen } from './screen';
import { seeing, viewOf, type Seen } from './seen';
import { loadSettings, saveSettings } from './settings';
import { softSound } from './sound';
import { poll, type Letter } from './status';
import { browserMemory, makeTeller, wasRead, type Aloud, type Heard } from './teller';
import { fetchTexts, language, setLanguage, t, type Language } from './texts';
import { inTrouble, watchTrouble } from './trouble';
import { voiceFor, type Outcome, type Say } from './voice';

watchTrouble();

const idle = 60_000; // untouched for so long, the first screen comes back
const thanksFor = 5_000;

const memory = browserMemory();
let settings = loadSettings(memory);
const aside = new Aside(memory);
let pages: Page[] = [];
let thanks: Thanks | undefined;
let touched = -awakeFor;
let byHand = false;
let reading = '';
let voiceless = false;
let pending = false;
let seen: Seen = {
  began: performance.now(),
  answer: undefined,
  closed: undefined,
  offline: undefined,
};

const deeds = new Deeds({ post, key: randomKey, memory, changed: soon });
const help = makeHelp(
  () => {
    pages = [];
    thanks = undefined;
    byHand = false;
    touched = performance.now();
    deeds.forget(helpDeed);
    deeds.do(helpDeed, '/press', { kind: 'sos', value: 1 });
  },
  (hint) => {
    acts.wake();
    if (settings.voice) void say(t(hint === 'hold' ? 'kiosk.help_hold' : 'kiosk.help_twice'));
  },
  soon,
);

const voices = Object.fromEntries(
  (['sv', 'en'] as const).map((l) => [
    l,
    voiceFor(l, {
      synth: 'speechSynthesis' in globalThis ? speechSynthesis : undefined,
      utterance: (text) => new SpeechSynthesisUtterance(text),
      sound: softSound,
    }),
  ]),
) as Record<Language, Say>;
let speaking = 0;
const say: Say = async (text) => {
  speaking++;
  const outcome = await voices[language()](text);
  speaking--;
  return outcome;
};

// Calls are not needed to show the screen, but at once when somebody calls.
let calls: Calls | undefined;
const bringCalls = () =>
  import('./call/calls').then(
    ({ makeCalls }) => {
      calls = makeCalls({ deeds, aside, say, quiet: () => speaking === 0, changed: soon });
      soon();
    },
    (error: unknown) => {
      inTrouble('load', error);
      setTimeout(bringCalls, thanksFor);
    },
  );
setTimeout(bringCalls, 200);

const tell = makeTeller({
  say,
  memory,
  report: async (heard: Heard) => (await post('/heard', heard)).ok,
  visible: () => document.visibilityState === 'visible',
  done: readOut,
});

/** A letter that was read out by itself has been heard. */
function readOut(key: string, outcome: Outcome): void {
  const id = key.startsWith('letter ') && outcome === 'spoken' ? key.slice('letter '.length) : '';
  const letter = id && seen.answer?.status.messages?.find((l) => l.id === id);
  if (letter) noteHeard(letter, true);
}

function noteHeard({ id, heard, notice }: Letter, spoken: boolean): void {
  if (heard || notice || deeds.of(deedOf.heard(id))) return;
  deeds.do(deedOf.heard(id), `/messages/${encodeURIComponent(id)}/heard`, { spoken });
}

const readOutBefore = (key: string) => wasRead(memory).includes(key);

const rightNow = () => viewOf(seen, performance.now()).now ?? 0;

const acts: Acts = {
  go(page) {
    pages = [...pages, page];
    soon();
  },
  back() {
    pages = pages.slice(0, -1);
    soon();
  },
  checkIn: () => deeds.do('check_in', '/press', { kind: 'check_in', value: 1 }),
  take: ({ key, prompt }) =>
    deeds.do(deedOf.prompt(key), '/press', { kind: 'medication', value: 1, text: prompt.id }),
  notNow({ key }) {
    aside.put(key, notNow(rightNow()));
    soon();
  },
  finish({ key }) {
    aside.put(key, done(rightNow()));
    soon();
  },
  answer(_, value) {
    thankFor = value === 1 ? 'bad' : 'answer';
    deeds.do('well_being', '/press', { kind: 'well_being', value });
  },
  enough() {
    thanks = undefined;
    soon();
  },
  read(letter) {
    reading = letter.id;
    soon();
    void say(letterAloud(letter)).then((outcome) => {
      if (reading === letter.id) reading = '';
      voiceless = outcome === 'sounded' || outcome === 'silent';
      if (outcome === 'spoken') noteHeard(letter, true);
      soon();
    });
  },
  haveRead(letter) {
    noteHeard(letter, false);
    aside.put(letter.notice ? letter.id : `letter ${letter.id}`, done(rightNow()));
    soon();
  },
  decide(grant) {
    const { party, field, allowed } = grant;
    deeds.do(deedOf.grant(grant), '/consent', { party, field, allowed: !allowed });
  },
  set(change) {
    settings = { ...settings, ...change };
    saveSettings(memory, settings);
    if (change.voice) void say(t('kiosk.voice_on_said'));
    soon();
  },
  darken() {
    byHand = true;
    pages = [];
    touched = -awakeFor;
    soon();
  },
  wake() {
    byHand = false;
    touched = performance.now();
    soon();
  },
};

let thankFor: Thanks['kind'] = 'answer';

/** What was stored is over: thanks are said, and it does not ask again. */
function settle(asks: Ask[], moment: number): void {
  const stored = (name: string) => deeds.of(name)?.state === 'stored';
  for (const ask of asks) {
    const name = ask.kind === 'prompt' ? deedOf.prompt(ask.key) : 'well_being';
    if (ask.kind === 'letter' || !stored(name)) continue;
    aside.put(ask.key, done(rightNow()));
    const kind = ask.kind === 'prompt' ? 'taken' : thankFor;
    thanks = { kind, until: moment + (kind === 'bad' ? idle : thanksFor) };
  }
  for (const page of pages) {
    if (page.name === 'grant' && stored(deedOf.grant(page))) {
      deeds.forget(deedOf.grant(page));
      pages = pages.slice(0, -1); // to where the change is seen
    }
  }
}

function modelAt(moment: number): Model {
  const status = seen.answer?.status;
  const wanted = settings.language ?? (status?.day?.language === 'en' ? 'en' : asked);
  if (wanted !== language() && !setLanguage(wanted)) void fetchTexts().then(soon);
  const view = viewOf(seen, moment, deeds.of(helpDeed));
  let asks = status ? asksOf(status, view.now, aside, readOutBefore) : [];
  settle(asks, moment);
  asks = status ? asksOf(status, view.now, aside, readOutBefore) : [];
  if (thanks && moment >= thanks.until) thanks = undefined;
  if (moment - touched >= idle || (view.alarm && !view.silent)) pages = [];
  const minutes = view.now === undefined ? undefined : local(view.now, status?.zone).minutes;
  const medicine = asks[0]?.kind === 'prompt';
  const known = { status, asked: seen.answer?.asked ?? 0, now: view.now, moment };
  const call = calls?.at({ ...known, voice: settings.voice });
  const urgent = (view.alarm && !view.silent) || medicine || call?.first === true;
  const night = { minutes, wanted: settings.night, byHand, untouched: moment - touched, urgent };
  if (urgent) byHand = false;
  const dark = isDark(night);
  return {
    ...{ view, status, pages, call, thanks, settings, dark, reading, voiceless, deeds, help },
    ask: asks[0],
    language: language(),
  };
}

/** What is to be said besides the alarm, when it is a time for it. */
function aloudOf({ view, ask, status, dark, call }: Model): Aloud | undefined {
  if (call?.first) return undefined; // it sounds itself
  if (view.alarm) return view.message;
  if (!settings.voice || !status) return undefined;
  const checkIn = status.check_in;
  const since = checkIn && view.now !== undefined ? view.now - checkIn.at / 1_000 : Infinity;
  if (checkIn && since < 120_000) {
    const { text } = checkInState(status, view.now, undefined);
    return { key: `check_in ${checkIn.at} ${checkIn.state} ${status.online}`, aloud: text };
  }
  if (dark) return undefined;
  if (call && ask?.kind !== 'prompt') return call.aloud;
  if (!ask) return undefined;
  if (ask.kind === 'prompt') {
    const { medication, text } = ask.prompt;
    const heading = t(medication ? 'kiosk.medicine_time' : 'kiosk.reminder_time');
    return { key: ask.key, aloud: t('kiosk.said_prompt', { heading, text }) };
  }
  const minutes = view.now === undefined ? undefined : local(view.now, status.zone).minutes;
  if (!isDaytime(minutes)) return undefined;
  if (ask.kind === 'question') return { key: ask.key, aloud: t('kiosk.how') };
  if (ask.letter.heard) return undefined;
  return { key: ask.key, aloud: letterAloud(ask.letter) };
}

const app = document.getElementById('app')!;
const asked: Language = new URLSearchParams(location.search).get('language') === 'en' ? 'en' : 'sv';
let fitted = '';

function show(): void {
  pending = false;
  const moment = performance.now();
  if (help.busy()) return; // nothing moves under the finger
  const model = modelAt(moment);
  const root = document.documentElement;
  root.lang = model.language;
  root.dataset['size'] = String(settings.text);
  const draw = () => render(<Screen model={model} acts={acts} />, app);
  draw();
  const content = `${faceOf(model)}|${app.textContent?.replace(/\d/g, '0')}|${settings.text}`;
  if (content !== fitted) {
    fitted = content;
    fit();
    draw(); // what is measured fits anew
  }
  if (model.view.saying) tell(model.view.saying, aloudOf(model), moment);
}

/** Draws again, once for all that changes now. */
function soon(): void {
  if (pending) return;
  pending = true;
  queueMicrotask(show);
}

poll((answer) => {
  seen = seeing(seen, answer);
  soon();
});
setInterval(soon, 1_000); // the clock, the countdown, and that nobody answers
addEventListener('resize', () => {
  fitted = '';
  soon();
});
for (const event of ['pointerdown', 'keydown', 'click']) {
  addEventListener(event, () => {
    // In the dark the first touch only lights the screen.
    if (app.firstElementChild?.getAttribute('data-face') === 'dark') {
      if (event === 'keydown' && document.activeElement === document.body) acts.wake();
      return;
    }
    touched = performance.now();
  });
}
show();
