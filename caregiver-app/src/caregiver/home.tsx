import { useEffect } from 'preact/hooks';
import type { Device, HomeDetail, Reading } from '../api/types';
import { Icon } from '../shared/icons';
import { t, tn } from '../shared/i18n';
import type { Part } from '../shared/router';
import { ago, moment, now } from '../shared/time';
import {
  checkIn,
  deviceName,
  isEvent,
  isKnown,
  kindName,
  quantity,
  roomName,
  saying,
} from '../shared/words';
import { useAsked } from './asking';
import { AlertCard } from './alertcard';
import * as care from './care/api';
import type { Consents, Resident } from './care/api';
import { refusedOf } from './care/carewords';
import { Refusal } from './care/common';
import { FeltToday, LatestNotes, Parts, Who } from './care/header';
import type { PartProps } from './care/parts';
import { HomeVisits } from './care/visits';
import { Day } from './day';
import { acts } from './deeds';
import { activityOf, contactOf } from './homes';
import { Later } from './later';
import { can } from './may';
import { crowd } from './now';
import { activeAlerts, detail, detailProblem, homes, show } from './state';

/** A resident's page: who, what must be known, and a part of what is known of them. */
export function HomeScreen({ id, part }: { id: string; part: Part }) {
  useEffect(() => {
    show(id);
    return () => show('');
  }, [id]);
  const home = detail.value?.id === id ? detail.value : null;
  const problem = detailProblem.value;
  const listed = homes.value.get(id);
  const known = home ?? listed;
  // What is about the resident's life is not for who runs the machines.
  const cares = acts();
  const resident = useAsked<Resident>(() => (cares ? care.resident(id) : never()), [id]);
  const consents = useAsked<Consents>(() => (cares ? care.consent(id) : never()), [id]);
  const card = resident.value;
  const name = known?.name ?? '';
  const props: PartProps = {
    id,
    name: card?.called || card?.name || name,
    zone: known?.zone,
    resident,
    refused: refusedOf(consents.value?.grants, home as { refused?: readonly string[] } | null),
  };
  // Notes are for all staff of the home's area: who may not read them was told of an alarm of
  // another area, and sees what that needs.
  const outside =
    cares && !!(home as { refused?: readonly string[] } | null)?.refused?.includes('notes');
  if (problem && !home) {
    return (
      <div class="home">
        <Back />
        <h1 tabIndex={-1}>{name || t('missing.title')}</h1>
        <Missing {...problem} id={id} />
      </div>
    );
  }
  return (
    <div class="home">
      <Back />
      <Who home={id} name={name || t('app.loading')} card={card} at={part} zone={known?.zone} />
      {cares && !outside && <Parts id={id} name={props.name} part={part} />}
      {part === 'day' &&
        (home ? <Body home={home} {...props} cares={cares} outside={outside} /> : <Waits />)}
      {part === 'notes' && <Later page="home-notes" {...props} />}
      {part === 'card' && <Later page="home-card" {...props} />}
      {part === 'trends' && (home ? <Later page="home-trends" {...props} /> : <Waits />)}
      {part === 'messages' && <Later page="home-messages" {...props} />}
      {part === 'consent' && <Later page="home-consent" {...props} decided={consents.again} />}
    </div>
  );
}

const never = () => new Promise<never>(() => {});

const Back = () => (
  <a class="back" href="/homes">
    <Icon name="left" />
    {t('home.back')}
  </a>
);

const Waits = () => (
  <p class="plain-box quiet" role="status">
    {t('app.loading')}
  </p>
);

function Missing({ status, id }: { status: number; id: string }) {
  const known = detailProblem.value?.id;
  const absent = status === 404 || status === 403;
  return (
    <div class="empty" role="alert">
      <p>{absent ? t('home.missing') : t(status ? 'error.text' : 'error.network_text')}</p>
      {known && <p class="quiet error-id">{t('error.id', { id: known })}</p>}
      {!absent && (
        <button
          type="button"
          class="button"
          onClick={() => {
            show('');
            show(id);
          }}
        >
          {t('error.retry')}
        </button>
      )}
    </div>
  );
}

function Body({
  home,
  name,
  zone,
  refused,
  cares,
  outside,
}: PartProps & { home: HomeDetail; cares: boolean; outside: boolean }) {
  const own = activeAlerts.value.filter((a) => a.home === home.id);
  return (
    <>
      {own.length > 0 && (
        <section aria-labelledby="home-alerts">
          <h2 id="home-alerts">{t('home.alerts_heading')}</h2>
          <ul class={own.length >= crowd ? 'cards cards-crowd' : 'cards'}>
            {own.map((alert) => (
              <li key={alert.id}>
                <AlertCard alert={alert} atHome />
              </li>
            ))}
          </ul>
        </section>
      )}
      {home.fault && <Later page="home-fault" quiet home={home} />}
      <Facts home={home} felt={cares && !outside && !refused.has('health')} />
      {outside ? (
        <p class="plain-box">{t('refused.outside', { name })}</p>
      ) : (
        <Life home={home} name={name} zone={zone} refused={refused} cares={cares} />
      )}
    </>
  );
}

/** What the staff of the home's own area see of it besides its alarms. */
function Life({
  home,
  name,
  zone,
  refused,
  cares,
}: Omit<PartProps, 'id' | 'resident'> & { home: HomeDetail; cares: boolean }) {
  return (
    <>
      {cares && (
        <div class="day-care">
          <HomeVisits key={`visits-${home.id}`} home={home.id} name={name} zone={home.zone} />
          <LatestNotes key={`notes-${home.id}`} home={home.id} name={name} zone={zone} />
        </div>
      )}
      {refused.has('activity') ? (
        <section aria-labelledby="day-title">
          <h2 id="day-title">{t('day.heading')}</h2>
          <Refusal field="activity" name={name} home={home.id} />
        </section>
      ) : (
        <Day key={`day-${home.id}`} home={home} />
      )}
      {cares && can('video') && (
        <Later
          page="home-calls"
          quiet
          key={`calls-${home.id}`}
          home={home.id}
          name={name}
          zone={home.zone}
        />
      )}
      <LastValues home={home} />
      <Later page="home-tools" home={home} />
      {!cares && <Later page="home-contacts" home={home} />}
      {!cares && <Later page="home-charts" home={home} />}
    </>
  );
}

/** Records that wait in a gateway; fewer are only on their way. */
const backlog = 200;

function Facts({ home, felt }: { home: HomeDetail; felt: boolean }) {
  const at = now.value;
  const checked = checkIn(home, at);
  const equipment = [
    home.devices_silent > 0 && tn('home.devices_silent', home.devices_silent),
    home.battery_low > 0 && tn('home.battery', home.battery_low),
    home.spool_depth > backlog && tn('home.spool', home.spool_depth),
    !home.clock_ok && t('home.clock_wrong'),
  ].filter((s) => typeof s === 'string');
  return (
    <dl class="facts">
      <div class={home.silent ? 'fact fact-bad' : 'fact'}>
        <dt>
          <Icon name={home.silent ? 'gateway_silent' : 'contact'} />
          {t('home.contact')}
        </dt>
        <dd>{contactOf(home, at)}</dd>
      </div>
      <div class="fact">
        <dt>
          <Icon name="motion" />
          {t('home.last_activity')}
        </dt>
        <dd>{activityOf(home, at)}</dd>
      </div>
      <div class={checked.state === 'missed' ? 'fact fact-bad' : 'fact'}>
        <dt>
          <Icon name={checked.state === 'done' ? 'check' : 'clock'} />
          {t('home.checkin')}
        </dt>
        <dd>{checked.text}</dd>
      </div>
      {felt && <FeltToday key={home.id} home={home} />}
      <div class={equipment.length > 0 ? 'fact fact-bad' : 'fact'}>
        <dt>
          <Icon name="battery_low" />
          {t('home.equipment')}
        </dt>
        <dd>
          {equipment.length > 0
            ? equipment.map((e) => <p key={e}>{e}</p>)
            : t(home.silent ? 'home.equipment_unknown' : 'home.equipment_ok')}
        </dd>
      </div>
    </dl>
  );
}

// What says something of the equipment only is for the installer, not the
// caregiver; so are how far a meter has counted and what a device says in
// words of its own.
const technical = new Set([
  'link_quality',
  'availability',
  'heartbeat',
  'dropped',
  'battery',
  'battery_low',
  'tamper',
  'air_pressure',
  'voltage',
  'current',
  'device_temperature',
  'illuminance',
  'energy',
  'water_volume',
]);

const forCaregivers = (r: Reading) => isKnown(r.kind) && !technical.has(r.kind);

/** Readings by room, each room's in the order of what they are called. */
function byRoom(readings: readonly Reading[]): [string, Reading[]][] {
  const rooms = new Map<string, Reading[]>();
  for (const r of readings) rooms.set(r.room, [...(rooms.get(r.room) ?? []), r]);
  for (const in_ of rooms.values())
    in_.sort((a, b) => kindName(a.kind).localeCompare(kindName(b.kind)));
  return [...rooms].sort(([a], [b]) => roomName(a).localeCompare(roomName(b)));
}

function LastValues({ home }: { home: HomeDetail }) {
  const rooms = byRoom(home.last.filter(forCaregivers));
  const ailing = home.devices.filter((d) => d.silent || d.battery_low);
  for (const { room } of ailing) if (!rooms.some(([r]) => r === room)) rooms.push([room, []]);
  const equipment = byRoom(home.last.filter((r) => !forCaregivers(r)));
  return (
    <section aria-labelledby="last-values">
      <h2 id="last-values">{t('last.heading')}</h2>
      {home.last_unavailable && <p class="quiet">{t('last.unavailable')}</p>}
      {rooms.length === 0 && <p class="quiet">{t('last.none')}</p>}
      <Rooms rooms={rooms} home={home} ailing={ailing} />
      {equipment.length > 0 && (
        <details class="equipment">
          <summary>{t('last.equipment')}</summary>
          <Rooms rooms={equipment} home={home} ailing={[]} named />
        </details>
      )}
    </section>
  );
}

interface RoomsProps {
  rooms: readonly [string, readonly Reading[]][];
  home: HomeDetail;
  /** Devices that need mending, shown in their room. */
  ailing: readonly Device[];
  /** Name the device beside every value, not only where a room has several. */
  named?: boolean;
}

function Rooms({ rooms, home, ailing, named }: RoomsProps) {
  const at = now.value;
  return (
    <div class="rooms">
      {rooms.map(([room, readings]) => (
        <div class="room" key={room}>
          <h3>{roomName(room)}</h3>
          <ul>
            {readings.map((r) => (
              <li key={`${r.device} ${r.kind}`} class="value">
                <span class="value-kind">
                  {kindName(r.kind)}
                  {(named || readings.filter((o) => o.kind === r.kind).length > 1) &&
                    ` · ${deviceName(r.device)}`}
                </span>
                <span class="value-says">{isEvent(r.kind) ? happened(r) : saying(r)}</span>
                <span class="value-when">{ago(Date.parse(r.t), at, home.zone)}</span>
              </li>
            ))}
            {ailing
              .filter((d) => d.room === room)
              .map((d) => (
                <li key={d.device} class="value value-bad">
                  <Icon name={d.silent ? 'sensor_silent' : 'battery_low'} />
                  <span>
                    {deviceName(d.device)}: {ailment(d, at, home.zone)}
                  </span>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

function ailment(d: Device, at: number, zone: string): string {
  if (!d.silent)
    return d.battery === null
      ? kindName('battery_low')
      : t('last.battery', { value: quantity(d.battery, '%EL') });
  return t('last.silent', { when: moment(Date.parse(d.last_seen), at, zone) });
}

const happened = (r: Reading) => (r.s || r.v === 0 ? saying(r) : saying({ ...r, v: 1 }));
