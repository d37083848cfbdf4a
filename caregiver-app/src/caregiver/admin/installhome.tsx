import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import * as client from '../../api/client';
import type { Device, HomeDetail } from '../../api/types';
import { Icon, Lantern } from '../../shared/icons';
import { t, tn, type Key } from '../../shared/i18n';
import { deviceName, roomName } from '../../shared/words';
import { unbroken } from '../../shared/unbroken';
import { inWords, useAsked } from '../asking';
import { acts } from '../deeds';
import { Later } from '../later';
import { useDeed } from '../plan/dialog';
import { alerts, homes, me, queue, say } from '../state';
import * as api from './api';
import './install.css';
import {
  countdown,
  isButton,
  lacks,
  nextOf,
  pressOf,
  progressOf,
  roomOf,
  roomsToPick,
  steps,
  toPlace,
  whatIs,
  type Step,
} from './installwords';

/** For how long a home lets devices in, in seconds. */
const pairingFor = 120;

/** The steps of one home. Which is next follows from what is true, so that anybody can go on. */
export function InstallHome({ id }: { id: string }) {
  const asked = useAsked(() => client.home(id), [id]);
  const placed = useAsked(() => api.rooms(id), [id]);
  // What is not told of on the live link, such as a new device, is asked for.
  useEffect(() => {
    const timer = setInterval(() => document.hidden || asked.again(), 3_000);
    return () => clearInterval(timer);
  }, [id]);
  const home = asked.value && { ...asked.value, ...(homes.value.get(id) ?? {}) };
  if (!home || !placed.value) {
    const missing = asked.status === 404 || asked.status === 403;
    const failed = asked.failed || placed.failed;
    return (
      <div class="install">
        <h1 tabIndex={-1}>{t('install.title')}</h1>
        {failed ? (
          <div class="later" role="alert">
            <p>{missing ? t('install.not_here') : failed}</p>
            <button
              type="button"
              class="button"
              onClick={() => {
                asked.again();
                placed.again();
              }}
            >
              {t('error.retry')}
            </button>
          </div>
        ) : (
          <p class="later" role="status">
            {t('app.loading')}
          </p>
        )}
      </div>
    );
  }
  return <Steps home={home} placed={placed.value} again={placed.again} />;
}

interface StepsProps {
  home: HomeDetail;
  placed: api.Rooms;
  again: () => void;
}

function Steps({ home, placed, again }: StepsProps) {
  const progress = progressOf(home, placed);
  const next = nextOf(progress);
  const [faulty] = useState(!!home.fault); // what is to be done is in sight
  const part = (step: Step, children: ComponentChildren) => (
    <StepPart
      key={step}
      step={step}
      n={steps.indexOf(step) + 1}
      done={progress[step]}
      now={next === step}
    >
      {children}
    </StepPart>
  );
  return (
    <div class="install">
      <h1 tabIndex={-1}>{home.name}</h1>
      {!next && <Protected home={home} />}
      <ol class="install-steps" aria-label={t('install.steps')}>
        {part('box', <Box home={home} />)}
        {part('devices', <Devices home={home} placed={placed} again={again} />)}
        {part(
          'test',
          me.value?.person ? <Later page="testing" home={home} /> : <p>{t('install.nobody')}</p>,
        )}
      </ol>
      <section class="panel" aria-labelledby="install-people">
        <details open={faulty}>
          <summary>
            <h2 id="install-people">
              {t('install.step.people')} <span class="tag">{t('install.optional')}</span>
            </h2>
          </summary>
          <div class="install-optional">
            <CheckIns home={home} />
            <Later page="invite-relative" home={home} />
          </div>
        </details>
      </section>
    </div>
  );
}

interface PartProps {
  step: Step;
  n: number;
  done: boolean;
  now: boolean;
  children: ComponentChildren;
}

// A step that is done or far off is one line; any can be opened.
function StepPart({ step, n, done, now, children }: PartProps) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (box.current) box.current.open = now;
  }, [now]);
  const state = done ? 'done' : now ? 'now' : 'waits';
  return (
    <li class={`panel install-step install-is-${state}`} aria-current={now && 'step'}>
      <details ref={box} open={now}>
        <summary>
          <span class="install-mark" aria-hidden="true">
            {done ? <Icon name="check" /> : n}
          </span>
          <h2>{t(`install.step.${step}` as Key)}</h2>
        </summary>
        <div class="install-body">{children}</div>
      </details>
    </li>
  );
}

function Box({ home }: { home: HomeDetail }) {
  const { gateway } = home;
  const heard = !!home.last_heard;
  const well = heard && home.online && !home.silent;
  return (
    <>
      <p class={well ? 'install-good' : 'install-waits'} role="status">
        {t(well ? 'install.box_heard' : heard ? 'install.box_silent' : 'install.box_waiting', {
          gateway,
        })}
      </p>
      {!well && (
        <>
          <p>{t('install.check')}</p>
          <ol class="install-checks">
            {(['power', 'net', 'id', 'error'] as const).map((check) => (
              <li key={check}>{t(`install.check.${check}`, { gateway })}</li>
            ))}
          </ol>
        </>
      )}
    </>
  );
}

function Devices({ home, placed, again }: StepsProps) {
  const [local, setLocal] = useState(placed);
  const [failed, setFailed] = useState('');
  const [saved, setSaved] = useState(true);
  // What was chosen is sent one after the other, and the latest has everything: on a slow
  // network somebody chooses again before the first is there.
  const latest = useRef(placed);
  const sending = useRef(false);
  const send = async () => {
    if (sending.current) return; // who sends sees that there is more
    sending.current = true;
    setFailed('');
    try {
      for (let sent: api.Rooms | undefined; sent !== latest.current;) {
        sent = latest.current;
        await api.putRooms(home.id, sent);
      }
      setSaved(true);
      again();
    } catch (error) {
      setFailed(inWords(error));
    } finally {
      sending.current = false;
    }
  };
  const put = (change: Partial<api.Rooms>) => {
    latest.current = { ...latest.current, ...change };
    setLocal(latest.current);
    setSaved(false);
    void send();
  };
  const devices = toPlace(home.devices);
  const missing = lacks(devices, local);
  return (
    <>
      <Pairing home={home.id} some={devices.length > 0} />
      <p role="status">
        {devices.length === 0 ? t('install.devices_none') : tn('install.found', devices.length)}
      </p>
      <ul class="install-devices">
        {devices.map((d) => (
          <Placing
            key={d.device}
            device={d}
            placed={local}
            rooms={roomsToPick(devices, local)}
            place={(room) => put({ rooms: { ...latest.current.rooms, [d.device]: room } })}
            means={(press) =>
              put({ actions: { ...latest.current.actions, [d.device]: { '*': press } } })
            }
          />
        ))}
      </ul>
      {devices.length > 0 && (
        <p class={missing ? 'install-waits' : 'install-good'} role="status">
          {missing
            ? [
                missing.rooms > 0 && tn('install.need_rooms', missing.rooms),
                missing.button && t('install.need_button'),
              ]
                .filter(Boolean)
                .join(' ')
            : t('install.devices_done')}
        </p>
      )}
      {failed ? (
        <p class="field-error" role="alert">
          {unbroken(failed)}{' '}
          <button type="button" class="button" onClick={() => void send()}>
            {t('error.retry')}
          </button>
        </p>
      ) : (
        latest.current !== placed && (
          <p class="quiet" role="status">
            {t(saved ? 'install.saved' : 'install.saving')}
          </p>
        )
      )}
    </>
  );
}

function Pairing({ home, some }: { home: string; some: boolean }) {
  const [until, setUntil] = useState(0);
  const [at, setAt] = useState(Date.now());
  const deed = useDeed();
  const open = until > at;
  useEffect(() => {
    if (!open) return;
    const timer = setInterval(() => setAt(Date.now()), 500);
    return () => clearInterval(timer);
  }, [open]);
  return (
    <div class="install-pair">
      <p>{t('install.pair_text')}</p>
      {open ? (
        <p class="install-open" role="timer">
          {t('install.pairing', { clock: countdown(until, at) })}
        </p>
      ) : (
        <button
          type="button"
          class={some ? 'button' : 'button button-main'}
          disabled={deed.busy}
          onClick={() =>
            void deed.run(
              () => api.pair(home, pairingFor),
              () => {
                setAt(Date.now());
                setUntil(Date.now() + pairingFor * 1000);
              },
            )
          }
        >
          {t(some ? 'install.pair_again' : 'install.pair')}
        </button>
      )}
      {deed.failed && (
        <p class="field-error" role="alert">
          {unbroken(deed.failed)}
        </p>
      )}
    </div>
  );
}

interface PlacingProps {
  device: Device;
  placed: api.Rooms;
  rooms: readonly string[];
  place: (room: string) => void;
  means: (press: string) => void;
}

const own = '\u0000';

function Placing({ device, placed, rooms, place, means }: PlacingProps) {
  const room = roomOf(device, placed);
  const [names, setNames] = useState(false);
  const what = whatIs(device);
  const name = `${what} ${deviceName(device.device)}`;
  return (
    <li class="install-device" aria-label={name}>
      <p>
        <strong>{what}</strong> <span class="quiet">{deviceName(device.device)}</span>
      </p>
      <label class="field">
        <span>{t('install.room')}</span>
        <select
          value={names ? own : room}
          onChange={(e) => {
            const chosen = e.currentTarget.value;
            setNames(chosen === own);
            if (chosen !== own) place(chosen);
          }}
        >
          {!room && <option value="">{t('install.room_pick')}</option>}
          {rooms.map((r) => (
            <option key={r} value={r}>
              {roomName(r)}
            </option>
          ))}
          <option value={own}>{t('install.room_own')}</option>
        </select>
      </label>
      {names && (
        <label class="field">
          <span>{t('install.room_name')}</span>
          <input
            type="text"
            maxLength={40}
            autoComplete="off"
            onChange={(e) => {
              const given = e.currentTarget.value.trim();
              if (!given) return;
              setNames(false);
              place(given);
            }}
          />
        </label>
      )}
      {isButton(device) && (
        <fieldset class="segments">
          <legend>{t('install.press')}</legend>
          {(['sos', 'check_in'] as const).map((press) => (
            <label key={press} class="segment">
              <input
                type="radio"
                name={`press ${device.device}`}
                checked={pressOf(device, placed) === press}
                onChange={() => means(press)}
              />
              <span>{t(`install.press.${press}`)}</span>
            </label>
          ))}
        </fieldset>
      )}
    </li>
  );
}

const clockOf = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
const minutesOf = (clock: string) => {
  const [h = NaN, m = NaN] = clock.split(':').map(Number);
  return h * 60 + m;
};

function CheckIns({ home }: { home: HomeDetail }) {
  const first = home.check_ins[0];
  const [wanted, setWanted] = useState(!!first || !!home.fault); // there were some
  const [from, setFrom] = useState(clockOf(first?.from ?? 7 * 60));
  const [by, setBy] = useState(clockOf(first?.by ?? 10 * 60));
  const [wrong, setWrong] = useState('');
  const deed = useDeed();
  const save = () => {
    const window = { from: minutesOf(from), by: minutesOf(by) };
    const bad = wanted && !(window.from < window.by);
    setWrong(bad ? t('rota.bad_time') : '');
    if (bad) return;
    const check_ins = wanted ? [window, ...home.check_ins.slice(1)] : [];
    const { name, area, zone } = home;
    void deed.run(
      () => api.changeHome(home.id, { name, area, zone, check_ins }),
      () => say(t('install.checkin_saved')),
    );
  };
  const said = wrong || deed.failed;
  return (
    <form
      class="install-checkin"
      noValidate
      onSubmit={(e) => {
        e.preventDefault();
        save();
      }}
    >
      <label class="check">
        <input
          type="checkbox"
          checked={wanted}
          onChange={(e) => setWanted(e.currentTarget.checked)}
        />
        <span>{t('install.checkin')}</span>
      </label>
      <p class="quiet">{t('install.checkin_text')}</p>
      {wanted && (
        <div class="pair">
          <label class="field">
            <span>{t('install.checkin_from')}</span>
            <input type="time" value={from} onInput={(e) => setFrom(e.currentTarget.value)} />
          </label>
          <label class="field">
            <span>{t('install.checkin_by')}</span>
            <input type="time" value={by} onInput={(e) => setBy(e.currentTarget.value)} />
          </label>
        </div>
      )}
      {said && (
        <p class="field-error" role="alert">
          {said}
        </p>
      )}
      <button type="submit" class="button" disabled={deed.busy}>
        {t('install.checkin_save')}
      </button>
    </form>
  );
}

function Protected({ home }: { home: HomeDetail }) {
  // The resident's screen shows who has the test's alarm until somebody closes it.
  const test = [...alerts.value.values()].find(
    (a) => a.home === home.id && a.test && a.state === 'acknowledged',
  );
  const waits = queue.waiting.value.some((a) => a.alert === test?.id);
  return (
    <section class="panel install-lit" role="status">
      <Lantern large />
      <h2>{t('install.protected')}</h2>
      <p>{t('install.protected_text', { name: home.name })}</p>
      {test && acts() && !waits && (
        <>
          <p>{t('install.test_open')}</p>
          <button
            type="button"
            class="button button-main"
            onClick={() => queue.add({ alert: test.id, kind: 'resolve', outcome: 'test' })}
          >
            {t('test.close')}
          </button>
        </>
      )}
      <div class="install-ways">
        <a
          class={test ? 'button' : 'button button-main'}
          href={`/homes/${encodeURIComponent(home.id)}`}
        >
          {t('install.to_home')}
        </a>
        <a class="button" href="/install">
          {t('install.next')}
        </a>
      </div>
    </section>
  );
}
