import { defineConfig } from 'vitest/config';

// The server that `npm run dev` asks for data: the mock unless told otherwise.
const server = process.env['LYKTA_URL'] ?? 'http://127.0.0.1:4173';

export default defineConfig({
  build: {
    target: 'es2022',
    manifest: true,
    // Everything is its own file: the content security policy allows no data: scripts or styles.
    assetsInlineLimit: 0,
    rollupOptions: { input: { caregiver: 'index.html' } },
  },
  server: { proxy: { '/api': server } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
