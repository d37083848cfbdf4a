import { api, json, part, post, request } from '../api/http';

// Signing in with what unlocks the telephone: the ceremonies between the
// service and the browser, and their shapes as JSON (WebAuthn Level 3, 5.1.8-10).

/** A passkey of the person who is signed in. */
export interface Passkey {
  id: string;
  name: string;
  added: string;
  /** When it was last used; null is never. */
  used: string | null;
}

interface Ceremony<Options> {
  /** Opaque; good once, for five minutes. */
  ceremony: string;
  publicKey: Options;
}

type Creation = PublicKeyCredentialCreationOptionsJSON;
type Request = PublicKeyCredentialRequestOptionsJSON;

/** Whether this browser can have passkeys here. An address that is not HTTPS has none. */
export const hasPasskeys = (): boolean =>
  isSecureContext && 'PublicKeyCredential' in globalThis && 'credentials' in navigator;

/** Asks for a passkey of this service and signs in with it. The session's cookie comes with the answer. */
export async function signInWithPasskey(): Promise<void> {
  const asked = await json<Ceremony<Request>>(`${api}/sign-in/passkey/options`, post({}));
  const credential = await getPasskey(asked.publicKey);
  await request(`${api}/sign-in/passkey`, post({ ceremony: asked.ceremony, credential }));
}

/** Makes a passkey on this device for the person who is signed in; `name` is what they know it by. */
export async function addPasskey(name: string): Promise<void> {
  const asked = await json<Ceremony<Creation>>(`${api}/me/passkeys/options`, post({}));
  const credential = await createPasskey(asked.publicKey);
  await request(`${api}/me/passkeys`, post({ ceremony: asked.ceremony, name, credential }));
}

/** The passkeys of the person who is signed in. */
export const passkeys = async (): Promise<Passkey[]> =>
  (await json<{ passkeys: Passkey[] }>(`${api}/me/passkeys`)).passkeys;

export const removePasskey = (id: string) =>
  request(`${api}/me/passkeys/${part(id)}`, { method: 'DELETE' });

/**
 * Why a ceremony came to nothing: the person said no or let it time out (the
 * browser does not tell these apart), the device has a passkey of this account
 * already, or the browser cannot do it. Anything else is 'other': a Problem or
 * Unreachable of the service, or a fault.
 */
export type PasskeyFailure = 'cancelled' | 'there_already' | 'cannot' | 'other';

export function passkeyFailure(error: unknown): PasskeyFailure {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'AbortError':
      return 'cancelled';
    case 'InvalidStateError':
      return 'there_already';
    case 'NotSupportedError':
    case 'ConstraintError':
    case 'SecurityError':
      return 'cannot';
  }
  return 'other';
}

/** A name for this device that its owner recognises: "Chrome, Android". */
export function deviceName(agent = navigator.userAgent): string {
  const first = (names: readonly [RegExp, string][]) =>
    names.find(([says]) => says.test(agent))?.[1];
  const browser = first([
    [/Edg(e|A|iOS)?\//, 'Edge'],
    [/OPR\//, 'Opera'],
    [/SamsungBrowser\//, 'Samsung Internet'],
    [/Firefox\/|FxiOS\//, 'Firefox'],
    [/Chrom(e|ium)\/|CriOS\//, 'Chrome'],
    [/Safari\//, 'Safari'],
  ]);
  const system = first([
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Android/, 'Android'],
    [/Windows/, 'Windows'],
    [/Mac OS X/, 'Mac'],
    [/CrOS/, 'Chromebook'],
    [/Linux/, 'Linux'],
  ]);
  return [browser, system].filter(Boolean).join(', ');
}

/** Has the browser make a passkey. Rejects with the browser's DOMException: see passkeyFailure. */
export async function createPasskey(options: Creation): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON?.(options) ?? {
    ...(options as object as PublicKeyCredentialCreationOptions),
    challenge: bytesOf(options.challenge),
    user: { ...options.user, id: bytesOf(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
  };
  return jsonOf(await navigator.credentials.create({ publicKey }));
}

/** Has the browser sign with a passkey that the person chooses. Rejects as createPasskey does. */
export async function getPasskey(options: Request): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON?.(options) ?? {
    ...(options as object as PublicKeyCredentialRequestOptions),
    challenge: bytesOf(options.challenge),
    allowCredentials: described(options.allowCredentials),
  };
  return jsonOf(await navigator.credentials.get({ publicKey }));
}

const described = (list: readonly PublicKeyCredentialDescriptorJSON[] = []) =>
  list.map((d) => ({ ...d, id: bytesOf(d.id) }) as PublicKeyCredentialDescriptor);

/** A credential as the service reads it; browsers before 2025 do not write it themselves. */
export function jsonOf(credential: Credential | null): unknown {
  if (!credential) throw new DOMException('no passkey came', 'NotAllowedError');
  const own = credential as PublicKeyCredential;
  if (typeof own.toJSON === 'function') return own.toJSON();
  const response = own.response as AuthenticatorAssertionResponse &
    AuthenticatorAttestationResponse;
  const parts: Record<string, unknown> = { clientDataJSON: textOf(response.clientDataJSON) };
  if (response.attestationObject) {
    parts['attestationObject'] = textOf(response.attestationObject);
    parts['transports'] = response.getTransports?.() ?? [];
  } else {
    parts['authenticatorData'] = textOf(response.authenticatorData);
    parts['signature'] = textOf(response.signature);
    if (response.userHandle) parts['userHandle'] = textOf(response.userHandle);
  }
  return {
    id: own.id,
    rawId: textOf(own.rawId),
    type: own.type,
    authenticatorAttachment: own.authenticatorAttachment ?? undefined,
    clientExtensionResults: own.getClientExtensionResults(),
    response: parts,
  };
}

/** The bytes that a base64url text without padding stands for (RFC 4648, 5). */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(raw, (c) => c.charCodeAt(0));
}

/** Bytes as base64url text without padding. */
export function textOf(bytes: ArrayBuffer): string {
  const raw = Array.from(new Uint8Array(bytes), (b) => String.fromCharCode(b)).join('');
  return btoa(raw).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}
