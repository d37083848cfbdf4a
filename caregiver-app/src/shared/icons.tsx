/** The mark of the service. Beside its name it says nothing of its own. */
export function Lantern({ large = false }: { large?: boolean }) {
  return (
    <svg class={large ? 'lantern lantern-large' : 'lantern'} viewBox="0 0 64 64" aria-hidden="true">
      <circle class="lantern-glow" cx="32" cy="36" r="27" />
      <path class="lantern-line" d="M24 14a8 8 0 0 1 16 0" />
      <path class="lantern-body" d="M20 16h24l-3 7H23z" />
      <path class="lantern-glass" d="M23 23h18l2.500 24h-23z" />
      <path
        class="lantern-flame"
        d="M32 27c4 4.500 5.500 7.300 5.500 10.200a5.500 5.500 0 0 1-11 0c0-2.900 1.500-5.700 5.500-10.200z"
      />
      <path class="lantern-body" d="M18.500 47h27v5.500h-27z" />
    </svg>
  );
}

const paths: Record<string, string> = {
  sos: 'M12 3a6 6 0 0 0-6 6v4.500L4 17h16l-2-3.500V9a6 6 0 0 0-6-6zM9.500 20a2.500 2.500 0 0 0 5 0',
  fall: 'M5 20h14M8 4.500a1.800 1.800 0 1 0 .1 0M7 9l4 3 5-1M11 12l-1 5 6 1.500',
  smoke:
    'M12 3c4 4.500 6 7 6 10.500a6 6 0 0 1-12 0C6 10 8 9 9 6c1.500 1 2 2.500 2 4 1.500-1.500 1.500-4.500 1-7z',
  carbon_monoxide: 'M12 4 2.500 20h19zM12 10v4.500M12 17.300v.2',
  water_leak: 'M12 3c4 5 6 8 6 11a6 6 0 0 1-12 0c0-3 2-6 6-11z',
  check_in_missed: 'M12 3.500a8.500 8.500 0 1 0 .1 0M12 8v4.500l3 2',
  gateway_silent:
    'M4 4l16 16M3 9.500a13 13 0 0 1 4-2.500M10.500 6a13 13 0 0 1 10.500 3.500M6.500 13a8 8 0 0 1 4-2.200M17.500 13a8 8 0 0 0-2-1.500M12 18v.2',
  sensor_silent: 'M4 4l16 16M8 8a5.500 5.500 0 0 0 8 8M9.500 6.800a5.500 5.500 0 0 1 7.700 7.700',
  battery_low: 'M3 8h15v8H3zM18 10.500h3v3h-3M6 10.500v3',
  other: 'M12 4 2.500 20h19zM12 10v4.500M12 17.300v.2',
  check: 'M4.500 12.500l5 5 10-11',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  homes: 'M4 11l8-7 8 7v9h-5.500v-6h-5v6H4z',
  calendar: 'M4 6h16v14H4zM4 10.500h16M8 3.500v4M16 3.500v4',
  visit_missed: 'M3 7h11v10H3zM14 10.500l7-3.500v10l-7-3.500M4 4l16 16',
  call_back:
    'M5 4h4l1.500 4.500L8.500 10a11 11 0 0 0 5.500 5.500l1.500-2 4.500 1.500v4A14.500 14.500 0 0 1 5 4z',
  test_missed: 'M12 3.500a8.500 8.500 0 1 0 .1 0M12 8v4.500l3 2',
  quiet: 'M4 4l16 16M9 4.200A6 6 0 0 1 18 9v4.500M6 8.500v5L4 17h13M9.500 20a2.500 2.500 0 0 0 5 0',
  shield: 'M12 3l7.500 3v5.500c0 4.500-3 8-7.500 9.500-4.500-1.500-7.500-5-7.500-9.500V6z',
  menu: 'M4 7h16M4 12h16M4 17h16',
  clock: 'M12 3.500a8.500 8.500 0 1 0 .1 0M12 8v4.500l3 2',
  search: 'M10.500 4a6.500 6.500 0 1 0 .1 0M15.500 15.500L20 20',
  contact: 'M3 9.500a13 13 0 0 1 18 0M6.500 13a8 8 0 0 1 11 0M10 16.500a3 3 0 0 1 4 0M12 19.500v.2',
  motion: 'M3 12h4l2.500-6 4 12L16 12h5',
};

/** A line drawing; the words beside it carry the meaning. */
export function Icon({ name }: { name: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name] ?? paths['other']!} />
    </svg>
  );
}
