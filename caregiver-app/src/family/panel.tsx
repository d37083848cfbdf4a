import type { ComponentChildren } from 'preact';
import { t, type Key } from '../shared/i18n';
import { FamilyIcon } from './icons';

/** One part of what is known of a home, under its name. */
export function Panel({
  title,
  icon,
  children,
}: {
  title: Key;
  icon: string;
  children: ComponentChildren;
}) {
  return (
    <section class="panel" aria-labelledby={title}>
      <h2 id={title}>
        <FamilyIcon name={icon} />
        {t(title)}
      </h2>
      {children}
    </section>
  );
}
