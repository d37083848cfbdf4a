import { Icon } from '../../shared/icons';
import { t } from '../../shared/i18n';
import { addDays, dayOf, now } from '../../shared/time';
import { mondayOf, weekNumber } from './rotawords';

interface PickerProps {
  monday: string;
  zone: string | undefined;
  choose: (monday: string) => void;
}

/** A week, one before and one after at a touch. */
export function WeekPicker({ monday, zone, choose }: PickerProps) {
  const present = mondayOf(dayOf(now.value, zone));
  return (
    <div class="week-picker">
      <button
        type="button"
        class="button button-square"
        onClick={() => choose(addDays(monday, -7))}
      >
        <Icon name="left" />
        <span class="visually-hidden">{t('rota.previous')}</span>
      </button>
      <button type="button" class="button button-square" onClick={() => choose(addDays(monday, 7))}>
        <Icon name="right" />
        <span class="visually-hidden">{t('rota.next')}</span>
      </button>
      <p role="status">{t('rota.week', { week: weekNumber(monday) })}</p>
      {monday !== present && (
        <button type="button" class="button" onClick={() => choose(present)}>
          {t('rota.this')}
        </button>
      )}
    </div>
  );
}
