import { render } from 'preact';
import '../shared/tokens.css';
import './kiosk.css';
import { fit } from './fit';
import { Screen, seeing, viewOf, type Seen } from './screen';
import { softSound } from './sound';
import { poll } from './status';
import { browserMemory, makeTeller, type Heard } from './teller';
import { language } from './texts';
import { voiceFor } from './voice';

document.documentElement.lang = language;

async function report(heard: Heard): Promise<boolean> {
  try {
    const response = await fetch('/heard', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(heard),
    });
    return response.ok;
  } catch {
    return false; // reported again while the gateway has not noted it
  }
}

const tell = makeTeller({
  say: voiceFor(language, {
    synth: 'speechSynthesis' in globalThis ? speechSynthesis : undefined,
    utterance: (text) => new SpeechSynthesisUtterance(text),
    sound: softSound,
  }),
  memory: browserMemory(),
  report,
  visible: () => document.visibilityState === 'visible',
});

const app = document.getElementById('app')!;
let seen: Seen = {
  began: performance.now(),
  answer: undefined,
  closed: undefined,
  offline: undefined,
};

let fitted: string | null = null;

function show() {
  const view = viewOf(seen, performance.now());
  render(<Screen view={view} />, app);
  if (app.textContent !== fitted) fit();
  fitted = app.textContent;
  return view;
}

poll((answer) => {
  seen = seeing(seen, answer);
  const { saying, message } = show();
  if (saying) tell(saying, message, answer.came);
});
setInterval(show, 1_000); // the clock, the countdown, and that nobody answers
addEventListener('resize', () => fit());
show();
