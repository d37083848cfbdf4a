import { t } from '../shared/i18n';
import { atMoment, clock, dayOf } from '../shared/time';
import type { FamilyHome } from './api';

/** What the lantern says, in words. */
export interface Said {
  title: string;
  text: string;
}

/**
 * What the light of a home means at the instant `at`. Of an old answer it is said
 * first how old it is: `since` is when it was true, 0 is now.
 */
export function lightWords(home: FamilyHome, at: number, since = 0): Said {
  const said = says(home, at);
  if (!since) return said;
  return {
    title: t('family.old', { when: atMoment(since, at, home.zone) }),
    text: [said.title, said.text].filter(Boolean).join('. '),
  };
}

function says(home: FamilyHome, at: number): Said {
  const { name, zone } = home;
  const by = home.check_in_by ? clock(Date.parse(home.check_in_by), zone) : '';
  switch (home.light) {
    case 'lit': {
      if (!home.checked_in) {
        return { title: t('family.light.calm', { name }), text: t('family.light.calm_text') };
      }
      const when = Date.parse(home.checked_in);
      return {
        title: t('family.light.lit', { name }),
        text:
          dayOf(when, zone) === dayOf(at, zone)
            ? t('family.light.lit_at', { when: atMoment(when, at, zone) })
            : sentence(atMoment(when, at, zone)),
      };
    }
    case 'waiting':
      return {
        title: t('family.light.waiting', { name }),
        text: by ? t('family.light.waiting_by', { clock: by }) : '',
      };
    case 'out':
      return {
        title: t('family.light.out', { name }),
        text: by ? t('family.light.out_by', { clock: by }) : t('family.light.out_text'),
      };
    case 'hidden':
      return {
        title: t('family.light.hidden', { name }),
        text: t('family.decides', { name }),
      };
  }
  return { title: t('family.light.unknown', { name }), text: t('family.light.unknown_text') };
}

const sentence = (s: string) => s.charAt(0).toLocaleUpperCase() + s.slice(1);
