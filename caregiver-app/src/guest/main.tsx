// The page of who was sent a link to a call: /guest#lyk_g_…
import { render } from 'preact';
import '../shared/tokens.css';
import '../shared/base.css';
import { startLanguage } from '../shared/i18n';
import { Guest } from './guest';

const kept = 'lykta.guest.code';

/** The secret of the link. It leaves the address at once, and stays with this window. */
function codeOf(): string {
  const code = decodeURIComponent(location.hash.slice(1));
  try {
    if (code) sessionStorage.setItem(kept, code);
    history.replaceState(null, '', '/guest');
    return code || sessionStorage.getItem(kept) || '';
  } catch {
    return code; // without storage a page that is loaded again needs the link
  }
}

const code = codeOf();
const show = () =>
  render(
    <main id="content" tabIndex={-1}>
      <Guest code={code} />
    </main>,
    document.getElementById('app')!,
  );
const texts = startLanguage();
if (texts) void texts.then(show);
else show();
