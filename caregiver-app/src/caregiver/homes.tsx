import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import * as api from '../api/client';
import type { Home } from '../api/types';
import { Icon } from '../shared/icons';
import { language, t, tn, type Key } from '../shared/i18n';
import { ago, moment, now, serverNow } from '../shared/time';
import { activityName, checkIn, inRoom, kindName } from '../shared/words';
import { homes, unmet } from './state';

/** How many homes show before one asks for more: a phone draws these at once. */
const page = 60;

type Filter = 'all' | 'attention' | 'silent';
const filters: readonly Filter[] = ['all', 'attention', 'silent'];

// Kept while one looks at a home and comes back.
const search = signal('');
const filter = signal<Filter>('all');
const shown = signal(page);

const unmetHomes = computed(() => new Set(unmet.value.map((a) => a.home)));

/** How soon the home needs somebody: 0 is now. An emergency that somebody has is the next. */
export function need(home: Home): number {
  if (unmetHomes.value.has(home.id)) return 0;
  if (home.highest_severity === 'emergency') return 1;
  if (home.highest_severity === 'attention') return 2;
  if (home.silent || home.fault) return 3;
  if (home.open_alerts > 0) return 4;
  return home.devices_silent > 0 || home.battery_low > 0 ? 5 : 6;
}

const order = computed(() => {
  const collator = new Intl.Collator(language.value);
  return [...homes.value.values()].sort(
    (a, b) => need(a) - need(b) || collator.compare(a.name, b.name),
  );
});

const found = computed(() => {
  const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return order.value.filter((home) => {
    if (filter.value === 'attention' && need(home) > 4) return false;
    if (filter.value === 'silent' && !home.silent) return false;
    const name = `${home.name} ${home.id}`.toLocaleLowerCase();
    return words.every((w) => name.includes(w));
  });
});

// The homes in which expected alerts are silenced now.
const silenced = signal<ReadonlySet<string>>(new Set());

async function findSilenced(): Promise<void> {
  try {
    silenced.value = new Set(await api.silencedHomes(serverNow()));
  } catch {
    // The mark is a help only; the home's own page tells what went wrong.
  }
}

function clear(): void {
  search.value = '';
  filter.value = 'all';
  shown.value = page;
}

/** All homes, those that need somebody first. */
export function HomesScreen() {
  useEffect(() => void findSilenced(), []);
  const list = found.value;
  const all = homes.value.size;
  return (
    <div class="homes">
      <div class="title-row">
        <h1 tabIndex={-1}>{t('homes.title')}</h1>
        <p class="quiet" role="status">
          {list.length === all
            ? tn('homes.count', all)
            : t('homes.showing', { shown: list.length, all })}
        </p>
      </div>
      {all > 0 && <Tools />}
      {all === 0 && (
        <div class="empty">
          <h2>{t('homes.none')}</h2>
          <p>{t('homes.none_text')}</p>
        </div>
      )}
      {all > 0 && list.length === 0 && (
        <div class="empty">
          <h2>{t('homes.no_match')}</h2>
          <button type="button" class="button" onClick={clear}>
            {t('homes.clear')}
          </button>
        </div>
      )}
      <ul class="home-list">
        {list.slice(0, shown.value).map((home) => (
          <li key={home.id}>
            <HomeRow home={home} />
          </li>
        ))}
      </ul>
      {list.length > shown.value && (
        <button type="button" class="button more" onClick={() => (shown.value += page)}>
          {t('homes.more')}
        </button>
      )}
    </div>
  );
}

function Tools() {
  return (
    <search class="tools">
      <label class="field search-field">
        <span>{t('homes.search')}</span>
        <input
          type="search"
          autoComplete="off"
          value={search.value}
          onInput={(e) => {
            search.value = e.currentTarget.value;
            shown.value = page;
          }}
        />
      </label>
      <fieldset class="segments">
        <legend class="visually-hidden">{t('homes.filter')}</legend>
        {filters.map((f) => (
          <label key={f} class="segment">
            <input
              type="radio"
              name="filter"
              checked={filter.value === f}
              onChange={() => {
                filter.value = f;
                shown.value = page;
              }}
            />
            <span>{t(`homes.filter_${f}`)}</span>
          </label>
        ))}
      </fieldset>
    </search>
  );
}

/** Whether the home is heard, in words: "Ansluten", "Tyst sedan 14:02". */
export function contactOf(home: Home, at: number): string {
  if (home.silent) {
    return home.last_heard
      ? t('home.silent', { when: moment(Date.parse(home.last_heard), at, home.zone) })
      : t('home.silent_never');
  }
  return home.online ? t('home.online') : t('home.offline');
}

/** The last activity in words: "Rörelse i köket, 4 min sedan". */
export function activityOf(home: Home, at: number): string {
  const last = home.last_activity;
  if (!last) return t('home.activity_none');
  const values = {
    what: last.room ? activityName(last.kind) : kindName(last.kind),
    place: inRoom(last.room),
    when: ago(Date.parse(last.t), at, home.zone),
  };
  return t(last.room ? 'home.activity' : 'home.activity_nowhere', values);
}

function HomeRow({ home }: { home: Home }) {
  const at = now.value;
  const checked = checkIn(home, at);
  const urgency = need(home);
  const tone = urgency === 0 ? 'emergency' : urgency <= 3 ? 'attention' : 'calm';
  return (
    <a class={`home-row tone-${tone}`} href={`/homes/${encodeURIComponent(home.id)}`}>
      <span class="home-name">{home.name}</span>
      <span class={home.silent ? 'home-contact is-silent' : 'home-contact'}>
        <Icon name={home.silent ? 'gateway_silent' : 'contact'} />
        {contactOf(home, at)}
      </span>
      <span class="home-activity">{activityOf(home, at)}</span>
      {checked.state !== 'none' && (
        <span class={`home-checkin checkin-${checked.state}`}>
          <Icon name={checked.state === 'done' ? 'check' : 'clock'} />
          {checked.row}
        </span>
      )}
      <span class="tags">
        {home.open_alerts > 0 && (
          <span class={`tag tag-${tone}`}>
            <Icon name="sos" />
            {tn('home.alerts', home.open_alerts)}
          </span>
        )}
        {(home.protection === 'never_tested' || home.protection === 'test_due') && (
          <span class="tag tag-attention">
            <Icon name="shield" />
            {t(`home.${home.protection}` as Key)}
          </span>
        )}
        {silenced.value.has(home.id) && (
          <span class="tag">
            <Icon name="quiet" />
            {t('home.silenced')}
          </span>
        )}
        {home.devices_silent > 0 && (
          <span class="tag">
            <Icon name="sensor_silent" />
            {tn('home.devices_silent', home.devices_silent)}
          </span>
        )}
        {home.battery_low > 0 && (
          <span class="tag">
            <Icon name="battery_low" />
            {tn('home.battery', home.battery_low)}
          </span>
        )}
      </span>
    </a>
  );
}
