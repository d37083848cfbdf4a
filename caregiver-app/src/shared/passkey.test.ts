import { describe, expect, it } from 'vitest';
import { bytesOf, deviceName, jsonOf, passkeyFailure, textOf } from './passkey';

const bytes = (...list: number[]) => Uint8Array.from(list).buffer;

describe('bytes as text', () => {
  it('come back as they were, whatever their length', () => {
    for (const list of [[], [255], [251, 239], [0, 63, 191, 255]]) {
      const text = textOf(bytes(...list));
      expect(text).not.toMatch(/[+/=]/);
      expect([...bytesOf(text)]).toEqual(list);
    }
  });
});

describe('a credential for the service', () => {
  const browser = {
    id: 'AQI',
    rawId: bytes(1, 2),
    type: 'public-key',
    authenticatorAttachment: 'platform',
    getClientExtensionResults: () => ({}),
  };
  const json = (more: object) => jsonOf({ ...browser, ...more } as unknown as Credential);

  it('is what the browser writes where it can', () => {
    expect(json({ toJSON: () => ({ id: 'its own' }) })).toEqual({ id: 'its own' });
  });

  it('has a new passkey’s parts where the browser cannot write them', () => {
    const response = {
      clientDataJSON: bytes(3),
      attestationObject: bytes(4),
      getTransports: () => ['internal'],
    };
    expect(json({ response })).toEqual({
      id: 'AQI',
      rawId: 'AQI',
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: { clientDataJSON: 'Aw', attestationObject: 'BA', transports: ['internal'] },
    });
  });

  it('has a signature’s parts where the browser cannot write them', () => {
    const response = {
      clientDataJSON: bytes(3),
      authenticatorData: bytes(4),
      signature: bytes(5),
      userHandle: bytes(6),
    };
    expect(json({ response })).toMatchObject({
      response: {
        clientDataJSON: 'Aw',
        authenticatorData: 'BA',
        signature: 'BQ',
        userHandle: 'Bg',
      },
    });
  });

  it('that did not come is the person’s no', () => {
    expect(() => jsonOf(null)).toThrow(DOMException);
    expect(passkeyFailure(new DOMException('', 'NotAllowedError'))).toBe('cancelled');
    expect(passkeyFailure(new DOMException('', 'InvalidStateError'))).toBe('there_already');
    expect(passkeyFailure(new DOMException('', 'SecurityError'))).toBe('cannot');
    expect(passkeyFailure(new Error('x'))).toBe('other');
  });
});

describe('the name of a device', () => {
  it('is what its owner calls it', () => {
    const android =
      'Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36';
    const iphone =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1';
    expect(deviceName(android)).toBe('Chrome, Android');
    expect(deviceName(iphone)).toBe('Safari, iPhone');
    expect(deviceName('')).toBe('');
  });
});
