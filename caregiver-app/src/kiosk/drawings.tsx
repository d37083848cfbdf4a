const paths = {
  hand: 'M8 12V5.500a1.500 1.500 0 0 1 3 0V11M11 10.500V4a1.500 1.500 0 0 1 3 0v6.500M14 11V5.500a1.500 1.500 0 0 1 3 0V14c0 4-2.200 7-6 7-3 0-4.500-1.500-6-4.500L3.300 13a1.500 1.500 0 0 1 2.600-1.500L8 14.500',
  check: 'M4.500 12.500l5 5 10-11',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  day: 'M4 6h16v14H4zM4 10.500h16M8 3.500v4M16 3.500v4',
  letter: 'M3.500 6h17v12.500h-17zM3.500 7l8.500 6.500L20.500 7',
  shield:
    'M12 3l7.500 3v5.500c0 4.500-3 8-7.500 9.500-4.500-1.500-7.500-5-7.500-9.500V6zM8.500 12l2.500 2.500 4.500-5',
  screen: 'M3.500 5h17v11.500h-17zM8.500 20h7M12 16.500V20',
  pill: 'M7 12.500l5.500-5.500a3.900 3.900 0 0 1 5.500 5.500L12.500 18A3.900 3.900 0 0 1 7 12.500zM9.800 9.800l5.500 5.500',
  bell: 'M12 3.500a5.500 5.500 0 0 0-5.500 5.500v4.500L4.500 17h15l-2-3.500V9A5.500 5.500 0 0 0 12 3.500zM10 20a2.200 2.200 0 0 0 4 0',
  speaker:
    'M4 9.500v5h3.500L12 18.500v-13L7.500 9.500zM15.500 9a4.500 4.500 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 9a3 3 0 1 0 .1 0',
  lock: 'M6 11h12v9.500H6zM8.500 11V8a3.500 3.500 0 0 1 7 0v3',
  no: 'M6 6l12 12M18 6L6 18',
  person: 'M12 4a4 4 0 1 0 .1 0M4.500 20.500c.5-4.500 3.500-6.500 7.500-6.500s7 2 7.500 6.500',
  face3:
    'M12 3a9 9 0 1 0 .1 0M8.500 9.500v.6M15.500 9.500v.6M7.800 14c1 2 2.500 3 4.200 3s3.200-1 4.200-3',
  face2: 'M12 3a9 9 0 1 0 .1 0M8.500 9.500v.6M15.500 9.500v.6M8 15.500h8',
  face1:
    'M12 3a9 9 0 1 0 .1 0M8.500 9.500v.6M15.500 9.500v.6M7.800 17c1-2 2.500-3 4.200-3s3.200 1 4.200 3',
};

export type DrawingName = keyof typeof paths;

/** A line drawing; the words beside it carry the meaning. */
export const Drawing = ({ name }: { name: DrawingName }) => (
  <svg class="drawing" viewBox="0 0 24 24" aria-hidden="true">
    <path d={paths[name]} />
  </svg>
);

/** The lantern: lit when the resident has been heard today. */
export const Lantern = ({ lit }: { lit: boolean }) => (
  <svg class="lantern" data-lit={lit} viewBox="0 0 64 64" aria-hidden="true">
    <circle class="lantern-glow" cx="32" cy="36" r="28" />
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
