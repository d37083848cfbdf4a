const paths: Record<string, string> = {
  light:
    'M9 5.500a3 3 0 0 1 6 0M7.500 6.500h9l-1 2.500h-7zM8.500 9h7l1 9h-9zM6.500 18h11v2.500h-11zM12 11.500c1.300 1.500 1.800 2.300 1.800 3.200a1.800 1.800 0 0 1-3.600 0c0-.9.5-1.700 1.800-3.200z',
  calendar: 'M4 6h16v14H4zM4 10.500h16M8 3.500v4M16 3.500v4',
  message: 'M4 5h16v11H10l-5 4v-4H4z',
  person: 'M12 4a4 4 0 1 0 .1 0M4.500 20.500c.8-4 3.700-6 7.500-6s6.700 2 7.500 6',
  picture: 'M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.500 8.500v.2',
  video: 'M3.500 7h11v10h-11zM14.500 11l6-3.500v9l-6-3.500z',
  lock: 'M6 11h12v9H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  check: 'M4.500 12.500l5 5 10-11',
  walk: 'M13 3.500a1.500 1.500 0 1 0 .1 0M9 21l2.500-6-2-2.500L10.500 8l3 2 3 1M11.500 15l3 2.500L15 21M7 11.500l3.500-3.500',
  heart:
    'M12 20C5 15 3.500 11.500 3.500 9a4.300 4.300 0 0 1 8.500-1.200A4.300 4.300 0 0 1 20.500 9c0 2.500-1.500 6-8.500 11z',
};

/** A line drawing; the words beside it carry the meaning. */
export function FamilyIcon({ name }: { name: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name] ?? ''} />
    </svg>
  );
}
