import { useState } from 'preact/hooks';
import { locale, t, tn, type Key } from '../../shared/i18n';
import { ago, now } from '../../shared/time';
import { deviceName, kindName, roomName } from '../../shared/words';
import * as api from '../admin/api';
import '../admin/texts';
import { useAsked } from '../asking';
import { homes } from '../state';
import './devices.css';
import { batteryWords, byNeed, matches, needOf, signalWords, itsKinds } from './devicewords';
import { Answer, AreaPicker, Frame } from './frame';
import { areaName, areasOf } from './rotawords';

/** How many devices show before one asks for more. */
const page = 60;

/** Every device of every home: those that need somebody's hands first. */
export function DevicesScreen() {
  const [area, setArea] = useState(every);
  const [cut, setCut] = useState(false);
  // What is here of all homes is looked through here; where that is not all, the area is asked for.
  const of = cut && area !== every ? area : '';
  const asked = useAsked(async () => {
    const list = await api.devices(of);
    if (list.cut) setCut(true);
    return list;
  }, [of]);
  return (
    <Frame page="devices">
      <Answer asked={asked}>
        {(list) => <Devices all={list.devices} cut={list.cut} area={area} setArea={setArea} />}
      </Answer>
    </Frame>
  );
}

const every = '\u0000';

interface DevicesProps {
  all: readonly api.DeviceState[];
  cut?: boolean | undefined;
  area: string;
  setArea: (area: string) => void;
}

function Devices({ all, cut, area, setArea }: DevicesProps) {
  const [hands, setHands] = useState(false);
  const [search, setSearch] = useState('');
  const [most, setMost] = useState(page);
  const areas = areasOf(
    [...homes.value.values()].map((h) => h.area),
    locale(),
  );
  const areaOf = (d: api.DeviceState) => homes.value.get(d.home)?.area ?? '';
  const near = all.filter((d) => area === every || areaOf(d) === area);
  const needing = near.filter((d) => needOf(d) !== '').length;
  const found = near
    .filter((d) => (!hands || needOf(d) !== '') && matches(d, search))
    .sort(byNeed(new Intl.Collator(locale())));
  if (all.length === 0) return <p class="plan-wait">{t('devices.none')}</p>;
  return (
    <>
      <p class="devices-sum" role="status">
        <strong>{tn('devices.lead', near.length)}</strong>
        <span class={needing > 0 ? 'tag tag-attention' : 'tag'}>
          {needing > 0 ? tn('devices.hands', needing) : t('devices.all_well')}
        </span>
      </p>
      {cut && (
        <p class="plan-wait" role="status">
          {t(area === every ? 'devices.cut' : 'devices.cut_area')}
        </p>
      )}
      <search class="plan-tools devices-tools">
        <label class="field">
          <span>{t('devices.search')}</span>
          <input
            type="search"
            value={search}
            onInput={(e) => {
              setSearch(e.currentTarget.value);
              setMost(page);
            }}
          />
        </label>
        <fieldset class="segments">
          <legend class="visually-hidden">{t('planned.view')}</legend>
          {[false, true].map((only) => (
            <label key={String(only)} class="segment">
              <input
                type="radio"
                name="hands"
                checked={hands === only}
                onChange={() => setHands(only)}
              />
              <span>{t(only ? 'devices.only_hands' : 'devices.all')}</span>
            </label>
          ))}
        </fieldset>
        {areas.length > 1 && (
          <AreaPicker
            areas={[every, ...areas]}
            area={area}
            name={(a) => (a === every ? t('devices.all') : areaName(a, areas))}
            choose={setArea}
          />
        )}
      </search>
      {found.length === 0 ? (
        <p class="plan-wait">{t(search ? 'devices.no_match' : 'devices.all_well')}</p>
      ) : (
        <List devices={found.slice(0, most)} />
      )}
      {found.length > most && (
        <button type="button" class="button" onClick={() => setMost(most + page)}>
          {tn('devices.more', Math.min(page, found.length - most))}
        </button>
      )}
    </>
  );
}

// A table on a wide screen, a card for each on a telephone.
function List({ devices }: { devices: readonly api.DeviceState[] }) {
  return (
    <table class="devices">
      <caption class="visually-hidden">{t('devices.table')}</caption>
      <thead>
        <tr>
          <th scope="col">{t('devices.home')}</th>
          <th scope="col">{t('devices.device')}</th>
          <th scope="col">{t('devices.battery')}</th>
          <th scope="col">{t('devices.signal')}</th>
          <th scope="col">{t('devices.seen')}</th>
        </tr>
      </thead>
      <tbody>
        {devices.map((d) => {
          const need = needOf(d);
          const battery = batteryWords(d);
          const signal = signalWords(d.signal);
          return (
            <tr key={`${d.home} ${d.device}`} class={need && 'device-needs'}>
              <th scope="row">
                <a href={`/homes/${encodeURIComponent(d.home)}`}>{d.home_name}</a>
                {need && (
                  <span class="device-need tag tag-attention">
                    {t(`devices.do.${need}` as Key)}
                  </span>
                )}
              </th>
              <td class="device-what">
                <strong>{d.room ? roomName(d.room) : deviceName(d.device)}</strong>
                <span class="quiet">
                  {[deviceName(d.device), ...itsKinds(d.kinds).map(kindName)]
                    .slice(0, 3)
                    .join(' · ')}
                </span>
              </td>
              <td>
                <span class="visually-hidden">{t('devices.battery')}: </span>
                <Battery level={battery.level} />
                {battery.text}
              </td>
              <td>
                <span class="visually-hidden">{t('devices.signal')}: </span>
                <Signal level={signal.level} />
                {signal.text}
              </td>
              <td class="quiet">
                <span class="visually-hidden">{t('devices.seen')}: </span>
                {d.last_seen ? ago(Date.parse(d.last_seen), now.value) : t('devices.never')}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

// The pictures say what the words beside them do.
function Battery({ level }: { level: number }) {
  return (
    <svg class={`gauge gauge-${level}`} viewBox="0 0 30 16" aria-hidden="true">
      <rect class="gauge-box" x="1" y="1" width="25" height="14" rx="3" />
      <path class="gauge-on" d="M28 5v6" />
      {level >= 0 ? (
        <rect class="gauge-on" x="3.500" y="3.500" width={Math.max(2, level * 5)} height="9" />
      ) : (
        <path class="gauge-line" d="M8 12 19 4" />
      )}
    </svg>
  );
}

function Signal({ level }: { level: number }) {
  return (
    <svg class={`gauge gauge-${level}`} viewBox="0 0 30 16" aria-hidden="true">
      {[1, 2, 3, 4].map((n) => (
        <rect
          key={n}
          class={n <= level ? 'gauge-on' : 'gauge-off'}
          x={n * 6 - 3}
          y={15 - n * 3.5}
          width="4"
          height={n * 3.5}
          rx="1"
        />
      ))}
    </svg>
  );
}
