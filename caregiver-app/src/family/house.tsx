import type { ComponentChildren } from 'preact';
import { t } from '../shared/i18n';
import { kindName } from '../shared/names';
import { quantity, unitOf } from '../shared/quantity';
import { atMoment, now } from '../shared/time';
import { inRoom } from '../shared/words';
import type { Health } from './api';
import { FamilyIcon } from './icons';
import './pagetexts';
import { homeOf } from './state';
import { listOf } from './words';

/** What the resident lets see of their home: how warm it is, their card. */
export function HouseOf({ home: id }: { home: string }) {
  const home = homeOf(id);
  if (!home) return null;
  const { card, climate = [] } = home;
  return (
    <>
      {home.allowed.includes('climate') && (
        <House id="climate-title" title={t('family.climate.title')} icon="light">
          {climate.length === 0 && <p class="quiet">{t('family.health.none')}</p>}
          <dl class="health">
            {climate.map((r) => (
              <div key={`${r.room} ${r.kind}`}>
                <dt>{[kindName(r.kind), inRoom(r.room)].filter(Boolean).join(' ')}</dt>
                <dd>
                  <strong>{measured(r)}</strong>{' '}
                  <span class="quiet">{atMoment(Date.parse(r.t), now.value, home.zone)}</span>
                </dd>
              </div>
            ))}
          </dl>
        </House>
      )}
      {card && (
        <House id="card-title" title={t('family.card.title')} icon="person">
          {card.address && <p>{card.address}</p>}
          {card.phone && (
            <p>
              <a href={`tel:${card.phone.replace(/[^+\d]/g, '')}`}>{card.phone}</a>
            </p>
          )}
          {card.contacts.length > 0 && (
            <p>{t('family.card.contacts', { names: listOf(card.contacts) })}</p>
          )}
        </House>
      )}
    </>
  );
}

const measured = (r: Health): string =>
  typeof r.v === 'number' ? quantity(r.v, r.unit || unitOf(r.kind)) : (r.s ?? '');

interface HouseProps {
  id: string;
  title: string;
  icon: string;
  children: ComponentChildren;
}

function House({ id, title, icon, children }: HouseProps) {
  return (
    <section class="panel" aria-labelledby={id}>
      <h2 id={id}>
        <FamilyIcon name={icon} />
        {title}
      </h2>
      {children}
    </section>
  );
}
