const paths: Record<string, string> = {
  video: 'M3 7h11v10H3zM14 10.500l7-3.500v10l-7-3.500',
  'video-off': 'M3 7h11v10H3zM14 10.500l7-3.500v10l-7-3.500M3 3l18 18',
  mic: 'M12 3.500a3 3 0 0 1 3 3v4.500a3 3 0 0 1-6 0V6.500a3 3 0 0 1 3-3zM5.500 11a6.500 6.500 0 0 0 13 0M12 17.500v3.500',
  'mic-off':
    'M12 3.500a3 3 0 0 1 3 3v4.500a3 3 0 0 1-6 0V6.500a3 3 0 0 1 3-3zM5.500 11a6.500 6.500 0 0 0 13 0M12 17.500v3.500M3 3l18 18',
  turn: 'M4 12a8 8 0 0 1 13.500-5.800L20 8.500M20 4v4.500h-4.500M20 12a8 8 0 0 1-13.500 5.800L4 15.500M4 20v-4.500h4.500',
  person: 'M10 4a3.500 3.500 0 1 0 .1 0M3.500 20a6.500 6.500 0 0 1 13 0M19 8v6M16 11h6',
  down: 'M3 13.500c5-5 13-5 18 0l-2.500 3-4-1.500v-2.800a9 9 0 0 0-5 0V15l-4 1.500z',
  whole: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
};

/** A line drawing of what is done in a call; the words beside it carry the meaning. */
export function CallSign({ name }: { name: string }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]!} />
    </svg>
  );
}
