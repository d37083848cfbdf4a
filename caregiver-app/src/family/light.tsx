import type { Light } from './api';

const known = new Set<string>(['lit', 'waiting', 'out', 'hidden']);

/** The lantern of a home. What it means stands beside it in words. */
export function HomeLantern({ light, small = false }: { light: Light; small?: boolean }) {
  const state = known.has(light) ? light : 'unknown';
  return (
    <svg
      class={`light light-${state}${small ? ' light-small' : ''}`}
      viewBox={state === 'lit' ? '0 0 96 96' : '14 6 68 72'}
      aria-hidden="true"
    >
      {state === 'lit' && (
        <>
          <circle class="light-halo" cx="48" cy="52" r="44" />
          <circle class="light-halo light-near" cx="48" cy="52" r="31" />
        </>
      )}
      <path class="light-handle" d="M38 22a10 10 0 0 1 20 0" />
      <path class="light-metal" d="M34 24h28l-3.500 8h-21z" />
      <path class="light-glass" d="M37 32h22l3 32H34z" />
      {state === 'lit' && (
        <path
          class="light-flame"
          d="M48 37c5.500 6 7.500 10 7.500 13.800a7.500 7.500 0 0 1-15 0C40.500 47 42.500 43 48 37z"
        />
      )}
      {state === 'waiting' && (
        <path
          class="light-ember"
          d="M48 50c2.600 2.900 3.600 4.700 3.600 6.500a3.600 3.600 0 0 1-7.200 0c0-1.800 1-3.600 3.600-6.500z"
        />
      )}
      {state === 'out' && <path class="light-smoke" d="M48 58c-3-3 3-5 0-8s3-5 0-8" />}
      {state === 'unknown' && (
        <path
          class="light-smoke"
          d="M44.500 45a3.700 3.700 0 1 1 5.600 3.200c-1.500.9-2.100 1.800-2.100 3.300M48 56.600v.2"
        />
      )}
      {state === 'hidden' && (
        <path class="light-curtain" d="M36.600 37h22.800M36 43h24M35.500 49h25M35 55h26" />
      )}
      <path class="light-metal" d="M31.500 64h33v7h-33z" />
    </svg>
  );
}
