import { t, tMaybe } from '../shared/i18n';
import { kindName } from '../shared/names';
import { quantity, unitOf } from '../shared/quantity';
import { atMoment, now } from '../shared/time';
import type { Health } from './api';
import './pagetexts';
import { homeOf } from './state';

/** The newest of what was measured. */
export function HealthOf({ home: id }: { home: string }) {
  const home = homeOf(id);
  if (!home) return null;
  if (home.health.length === 0) return <p class="quiet">{t('family.health.none')}</p>;
  return (
    <dl class="health">
      {paired(home.health).map((r) => (
        <div key={r.kind}>
          <dt>{tMaybe(`family.kind.${r.kind}`) ?? kindName(r.kind)}</dt>
          <dd>
            <strong>{r.s && r.kind === 'blood_pressure' ? r.s : measured(r)}</strong>{' '}
            <span class="quiet">{atMoment(Date.parse(r.t), now.value, home.zone)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function measured(r: Health): string {
  if (typeof r.v !== 'number') return r.s ?? '';
  return tMaybe(`family.says.${r.kind}.${r.v}`) ?? quantity(r.v, r.unit || unitOf(r.kind));
}

// Both numbers of one measurement are said together, as everybody says them: 132/81.
function paired(all: readonly Health[]): Health[] {
  const upper = all.find((r) => r.kind === 'blood_pressure_systolic');
  const lower = all.find((r) => r.kind === 'blood_pressure_diastolic');
  if (!upper || !lower || upper.v === undefined || lower.v === undefined) return [...all];
  const both = { ...upper, kind: 'blood_pressure', s: `${upper.v}/${quantity(lower.v, 'mm[Hg]')}` };
  return [both, ...all.filter((r) => r !== upper && r !== lower)];
}
