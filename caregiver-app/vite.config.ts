import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

// The server that `npm run dev` asks for data: the mock unless told otherwise.
const server = process.env['LYKTA_URL'] ?? 'http://127.0.0.1:4173';

// The texts of the caregiver's first screen that the relatives' app uses too, on
// its first screen and on its pages: all of them would be a third of what it may weigh.
const relativesToo = {
  texts:
    /^(app|time|outcome)\.|^(link\.(down_new|retry)|error\.(title|network|id|retry)|alert\.(sensor_silent|battery_low|test_missed))$/,
  pages:
    /^(unit|room)\.|^kind\.(blood_\w+|pulse|spo2|weight|body_\w+|glucose|temperature|humidity|illuminance|power|energy|water_volume)$/,
};

/** Those texts alone, as the modules virtual:relatives-texts/sv, virtual:relatives-pages/sv, and /en. */
function relativesTexts(): Plugin {
  const name = /^\0virtual:relatives-(texts|pages)\/(sv|en)$/;
  return {
    name: 'relatives-texts',
    resolveId: (id) => (name.test(`\0${id}`) ? `\0${id}` : undefined),
    load(id) {
      const [, where, language] = name.exec(id) ?? [];
      if (!where) return undefined;
      const file = fileURLToPath(new URL(`i18n/${language}.json`, import.meta.url));
      this.addWatchFile(file);
      const all = Object.entries(JSON.parse(readFileSync(file, 'utf8')) as object);
      const wanted = relativesToo[where as keyof typeof relativesToo];
      const own = Object.fromEntries(all.filter(([key]) => wanted.test(key)));
      return `export default ${JSON.stringify(own)};`;
    },
  };
}

// Where each app lives, and its page.
const pages = { '/': 'index.html', '/family/': 'family.html' };

/** Writes into the service worker which files an app consists of: see src/caregiver/swserve.ts. */
function shell(): Plugin {
  return {
    name: 'shell',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const filesOf = (file: string, later: boolean, found = new Set<string>()) => {
        const part = bundle[file];
        if (found.has(file) || part?.type !== 'chunk') return found;
        found.add(file);
        for (const css of part.viteMetadata?.importedCss ?? []) found.add(css);
        for (const asset of part.viteMetadata?.importedAssets ?? []) found.add(asset);
        const next = later ? [...part.imports, ...part.dynamicImports] : part.imports;
        for (const name of next) filesOf(name, later, found);
        return found;
      };
      const sources: string[] = [];
      const apps = Object.entries(pages).map(([root, page]) => {
        const entry = Object.values(bundle).find(
          (part) => part.type === 'chunk' && part.isEntry && part.facadeModuleId?.endsWith(page),
        );
        const html = bundle[page];
        if (!entry || html?.type !== 'asset') throw new Error(`the build has no ${page}`);
        sources.push(String(html.source));
        const first = filesOf(entry.fileName, false);
        const later = [...filesOf(entry.fileName, true)].filter((file) => !first.has(file));
        const address = (file: string) => `/${file}`;
        return [root, { first: [...first].map(address), later: later.map(address) }];
      });
      const list = Object.fromEntries(apps) as object;
      const all = createHash('sha256').update(JSON.stringify(list)).update(sources.join());
      const version = all.digest('base64url').slice(0, 12);
      const worker = bundle['sw.js'];
      if (worker?.type !== 'chunk' || !worker.code.includes('__LYKTA_SHELL__')) {
        throw new Error('the service worker does not ask what it has to keep');
      }
      worker.code = worker.code.replace('__LYKTA_SHELL__', () =>
        JSON.stringify({ version, apps: list }),
      );
    },
  };
}

// The component page is built by itself (--mode components) and is no part of
// what the binaries carry.
export default defineConfig(({ mode }) => ({
  plugins: mode === 'components' ? [relativesTexts()] : [relativesTexts(), shell()],
  build: {
    target: 'es2022',
    ...(mode === 'components' ? { outDir: 'dist-components' } : {}),
    manifest: true,
    modulePreload: { polyfill: false }, // without it old browsers fetch a little later, no more
    // Everything is its own file: the content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    rollupOptions: {
      // Here the pages that are fetched later in the apps are all there at once.
      ...(mode === 'components' ? { checks: { ineffectiveDynamicImport: false } } : {}),
      input:
        mode === 'components'
          ? { components: 'components.html' }
          : {
              caregiver: 'index.html',
              family: 'family.html',
              kiosk: 'kiosk.html',
              guest: 'guest.html',
              sw: 'src/caregiver/sw.ts',
            },
      // The service worker's name is its identity, and its place what it may serve.
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[hash:8].js',
        assetFileNames: 'assets/[hash:8][extname]',
        // What calls have in common is one file each, whoever shares which half of it:
        // the first screens carry the names of all files that are fetched later.
        codeSplitting:
          mode === 'components'
            ? true
            : {
                includeDependenciesRecursively: false,
                groups: [
                  { name: 'talk', test: /src\/call\/(?!words|texts)\w+\.ts$/ },
                  { name: 'callwords', test: /src\/call\/(?:words|signs)/ },
                  // What a carer's first screen has for itself.
                  {
                    name: 'carer',
                    test: /src\/caregiver\/(?:state|may|later|carequeue|queue|sound)\.ts|src\/api\/client/,
                  },
                ],
              },
      },
    },
  },
  server: { proxy: { '/api': server } },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
    setupFiles: ['src/shared/texts.ts', 'src/shared/english.ts'],
  },
}));
