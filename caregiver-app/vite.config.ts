import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

// The server that `npm run dev` asks for data: the mock unless told otherwise.
const server = process.env['LYKTA_URL'] ?? 'http://127.0.0.1:4173';

const isKiosk = ([key]: [string, unknown]) => key.startsWith('kiosk.');
const entries = (json: string) => Object.entries(JSON.parse(json) as Record<string, string>);

/** Leaves the texts of the resident's screen out of what the others fetch. */
function otherTexts(): Plugin {
  return {
    name: 'other-texts',
    apply: 'build',
    enforce: 'pre',
    transform(code, id) {
      if (!/\/i18n\/\w+\.json$/.test(id)) return undefined;
      return JSON.stringify(Object.fromEntries(entries(code).filter((e) => !isKiosk(e))));
    },
  };
}

/** The texts of the resident's screen alone, as the module virtual:kiosk-texts. */
function kioskTexts(): Plugin {
  const name = 'virtual:kiosk-texts';
  const file = (language: string) =>
    fileURLToPath(new URL(`i18n/${language}.json`, import.meta.url));
  return {
    name: 'kiosk-texts',
    resolveId: (id) => (id === name ? `\0${name}` : undefined),
    load(id) {
      if (id !== `\0${name}`) return undefined;
      const exports = ['sv', 'en'].map((language) => {
        this.addWatchFile(file(language));
        const own = entries(readFileSync(file(language), 'utf8')).filter(isKiosk);
        return `export const ${language} = ${JSON.stringify(Object.fromEntries(own))};`;
      });
      return exports.join('\n');
    },
  };
}

export default defineConfig({
  plugins: [otherTexts(), kioskTexts()],
  build: {
    target: 'es2022',
    manifest: true,
    // Everything is its own file: the content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: { caregiver: 'index.html', kiosk: 'kiosk.html', sw: 'src/caregiver/sw.ts' },
      // The service worker's name is its identity, and its place what it may serve.
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  server: { proxy: { '/api': server } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
