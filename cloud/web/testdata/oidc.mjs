// A real OpenID provider for tests, on a free port of loopback. It prints its
// issuer, and ends when its input does.
//
//   node oidc.mjs FOLDER-WITH-NODE_MODULES REDIRECT-URI
//
// Who signs in as "NAME" has the subject NAME and the address
// NAME@kommun.example; a NAME that begins with "loose-" has not verified it,
// and one that begins with "none-" has none.
import http from 'node:http';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, redirect] = process.argv.slice(2);
const { Provider } = await import(
  pathToFileURL(resolve(join(folder, 'node_modules/oidc-provider/lib/index.js')))
);

const server = http.createServer();
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'lykta',
      client_secret: 'only for tests',
      redirect_uris: [redirect],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  cookies: { keys: ['only for tests'] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () =>
      sub.startsWith('none-')
        ? { sub }
        : {
            sub,
            email: `${sub.replace('loose-', '').replace('again-', '').toUpperCase()}@kommun.example`,
            email_verified: !sub.startsWith('loose-'),
          },
  }),
});
server.on('request', provider.callback());
console.log(issuer);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
