import { useState } from 'preact/hooks';
import { ReadAloud } from './asking';
import { senderOf } from './daywords';
import { Drawing } from './drawings';
import { clock } from './local';
import type { Model, Props } from './model';
import { Turner } from './pages';
import { letterRoom, partsOf } from './parts';
import { pastDay } from './rights';
import type { Letter } from './status';
import { t } from './texts';

/** What is read of a letter now, and the way to the rest of it. */
export function useParts({ id, text, picture }: Letter) {
  const [at, setAt] = useState({ id, part: 0 });
  const size = parseFloat(getComputedStyle(document.body).fontSize);
  const parts = partsOf(text ?? '', letterRoom(innerWidth, innerHeight, size, picture === true));
  const part = at.id === id ? Math.min(at.part, parts.length - 1) : 0;
  const last = part === parts.length - 1;
  return {
    text: parts[part]! + (last ? '' : '\u00a0…'), // never alone on a line
    last,
    /** Shows the next part, or the first again. */
    turn: parts.length > 1 ? () => setAt({ id, part: last ? 0 : part + 1 }) : undefined,
  };
}

/** The way to the rest of a letter. */
export const MoreOfIt = ({ last, turn }: Pick<ReturnType<typeof useParts>, 'last' | 'turn'>) => (
  <button type="button" class="yes" onClick={turn}>
    {t(last ? 'kiosk.from_start' : 'kiosk.read_on')}
    <Drawing name={last ? 'back' : 'next'} />
  </button>
);

/** Who wrote, the picture, and the text. */
export function LetterText({
  letter,
  text,
  model,
}: {
  letter: Letter;
  text: string;
  model: Model;
}) {
  const { now } = model.view;
  const zone = model.status?.zone;
  const at = letter.at / 1_000;
  const from =
    now === undefined || !at
      ? t('kiosk.message_from', { name: senderOf(letter) })
      : t('kiosk.message_from_at', {
          name: senderOf(letter),
          day: pastDay(at, now, zone),
          clock: clock(at, zone),
        });
  return (
    <div class="letter" data-picture={letter.picture === true && text !== ''}>
      {letter.picture && <Picture key={letter.id} letter={letter} />}
      <div class="written" role="status">
        <h1 class="from">{from}</h1>
        {text && <p>{text}</p>}
      </div>
    </div>
  );
}

function Picture({ letter }: { letter: Letter }) {
  const [broken, setBroken] = useState(false);
  if (broken) return <p class="picture broken">{t('kiosk.no_picture')}</p>;
  return (
    <img
      class="picture"
      src={`/pictures/${encodeURIComponent(letter.id)}`}
      alt={t('kiosk.picture_from', { name: senderOf(letter) })}
      onLoad={() => dispatchEvent(new Event('resize'))} // it takes room
      onError={() => setBroken(true)}
    />
  );
}

/** All letters, one at a time. */
export function Letters({ model, acts }: Props) {
  const letters = model.status?.messages ?? [];
  const [page, setPage] = useState(0);
  const current = Math.min(page, letters.length - 1);
  const letter = letters[current];
  if (!letter) return <p class="empty">{t('kiosk.messages_empty')}</p>;
  return (
    <div class="one">
      <OneLetter letter={letter} model={model} acts={acts} />
      {letters.length > 1 && <Turner page={current} pages={letters.length} turn={setPage} />}
    </div>
  );
}

function OneLetter({ letter, model, acts }: Props & { letter: Letter }) {
  const { text, last, turn } = useParts(letter);
  return (
    <>
      <LetterText letter={letter} text={text} model={model} />
      <div class="choices">
        <ReadAloud letter={letter} model={model} acts={acts} />
        {turn && <MoreOfIt last={last} turn={turn} />}
      </div>
    </>
  );
}
