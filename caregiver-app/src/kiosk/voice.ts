/**
 * What became of a text: spoken to its end; a soft sound in its place, because
 * there is no voice for it; not heard at all; or broken off by the next text.
 */
export type Outcome = 'spoken' | 'sounded' | 'silent' | 'interrupted';

/** Says texts aloud, one at a time: a new one breaks off the one before. */
export type Say = (text: string) => Promise<Outcome>;

/** What voice.ts needs of the browser. */
export interface Machine {
  synth: Pick<SpeechSynthesis, 'getVoices' | 'speak' | 'cancel' | 'addEventListener'> | undefined;
  utterance: (text: string) => SpeechSynthesisUtterance;
  /** Makes a soft sound; false when the browser kept it from being heard. */
  sound: () => Promise<boolean>;
}

const voicesCome = 2_000; // the list of voices is empty at first
const speechBegins = 4_000; // a voice that needs the network may never begin
const perLetter = 200; // at the most, milliseconds
const calmRate = 0.9;

/** Makes a voice that speaks the language, "sv" or "en". */
export function voiceFor(language: string, { synth, utterance, sound }: Machine): Say {
  let breakOff: () => void = () => {};
  return (text) => {
    breakOff();
    synth?.cancel();
    return new Promise<Outcome>((done) => {
      let broken = false;
      breakOff = () => {
        broken = true;
        done('interrupted');
      };
      const aloud = async (): Promise<Outcome> => {
        const voice = synth && (await voiceOf(synth, language));
        if (synth && voice && !broken) {
          const speech = utterance(text);
          speech.voice = voice;
          speech.lang = voice.lang;
          speech.rate = calmRate;
          if (await speak(synth, speech)) return 'spoken';
          if (!broken) synth.cancel();
        }
        // Another text is on its way by now, or this one needs another way.
        return !broken && (await sound()) ? 'sounded' : 'silent';
      };
      void aloud().then(done);
    });
  };
}

/** A voice of the language, one that works without internet rather than another. */
async function voiceOf(
  synth: NonNullable<Machine['synth']>,
  language: string,
): Promise<SpeechSynthesisVoice | undefined> {
  if (synth.getVoices().length === 0) {
    await new Promise<void>((done) => {
      synth.addEventListener('voiceschanged', () => done(), { once: true });
      setTimeout(done, voicesCome);
    });
  }
  const own = synth.getVoices().filter((v) => v.lang.toLowerCase().startsWith(language));
  return own.find((v) => v.localService) ?? own[0];
}

/** Whether the text was spoken to its end. */
function speak(synth: NonNullable<Machine['synth']>, speech: SpeechSynthesisUtterance) {
  return new Promise<boolean>((done) => {
    let late = setTimeout(() => done(false), speechBegins);
    speech.onstart = () => {
      clearTimeout(late);
      late = setTimeout(() => done(false), speechBegins + perLetter * speech.text.length);
    };
    const end = (spoken: boolean) => {
      clearTimeout(late);
      done(spoken);
    };
    speech.onend = () => end(true);
    speech.onerror = () => end(false);
    synth.speak(speech);
  });
}
