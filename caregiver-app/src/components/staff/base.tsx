import { Icon, Lantern } from '../../shared/icons';
import { LanguageSwitch } from '../../shared/languageswitch';
import type { Group } from '../specimen';
import { say } from '../texts';

// Asked for when they are drawn: the language is known by then.
const words = {
  get do() {
    return say('components.words.do');
  },
  get long() {
    return say('components.words.long');
  },
  get label() {
    return say('components.words.label');
  },
};

const icons = [
  ...['sos', 'fall', 'smoke', 'carbon_monoxide', 'water_leak', 'check_in_missed'],
  ...['gateway_silent', 'sensor_silent', 'battery_low', 'other', 'check', 'left', 'right'],
  ...[
    'homes',
    'calendar',
    'test_missed',
    'visit_missed',
    'call_back',
    'quiet',
    'shield',
    'menu',
    'clock',
    'search',
  ],
  ...['contact', 'motion'],
];

const button = (classes: string, text: string) => (
  <button type="button" class={`button ${classes}`}>
    {text}
  </button>
);

/** What every app is made of: shared/base.css and shared/icons.tsx. */
export const base = (): Group => ({
  group: 'base',
  sections: [
    {
      name: '.button',
      states: [
        { state: 'default', show: () => button('', words.do) },
        { state: 'main', show: () => button('button-main', words.do) },
        { state: 'plain', show: () => button('button-plain', words.do) },
        { state: 'wide', show: () => button('button-main button-wide', words.do) },
        {
          state: 'square',
          show: () => (
            <button type="button" class="button button-square" aria-label={words.do}>
              <Icon name="right" />
            </button>
          ),
        },
        { state: 'hover', show: () => button('is-hover', words.do) },
        { state: 'main_hover', show: () => button('button-main is-hover', words.do) },
        { state: 'focus', show: () => button('is-focus', words.do) },
        { state: 'active', show: () => button('is-active', words.do) },
        {
          state: 'disabled',
          show: () => (
            <button type="button" class="button button-main" disabled>
              {words.do}
            </button>
          ),
        },
        { state: 'long', show: () => button('', words.long) },
      ],
    },
    {
      name: '.field',
      states: [
        {
          state: 'default',
          show: () => (
            <label class="field">
              <span>{words.label}</span>
              <input type="text" />
            </label>
          ),
        },
        {
          state: 'filled',
          show: () => (
            <label class="field">
              <span>{words.label}</span>
              <input type="text" value={words.long} />
            </label>
          ),
        },
        {
          state: 'focus',
          show: () => (
            <label class="field">
              <span>{words.label}</span>
              <input type="text" class="is-focus" />
            </label>
          ),
        },
        {
          state: 'wrong',
          show: () => (
            <div>
              <label class="field">
                <span>{words.label}</span>
                <input type="text" aria-invalid="true" aria-describedby="wrong" />
              </label>
              <p id="wrong" class="field-error">
                {words.long}
              </p>
            </div>
          ),
        },
        {
          state: 'disabled',
          show: () => (
            <label class="field">
              <span>{words.label}</span>
              <input type="text" disabled />
            </label>
          ),
        },
        {
          state: 'choice',
          show: () => (
            <label class="field">
              <span>{words.label}</span>
              <select>
                <option>{words.do}</option>
              </select>
            </label>
          ),
        },
        {
          state: 'lines',
          show: () => (
            <label class="field">
              <span>{words.label}</span>
              <textarea rows={3} />
            </label>
          ),
        },
      ],
    },
    {
      name: '.segments',
      states: [
        {
          state: 'default',
          show: () => (
            <fieldset class="segments">
              <legend>{words.label}</legend>
              {[words.do, words.label, words.long].map((text, i) => (
                <label key={text} class="segment">
                  <input type="radio" name="s" checked={i === 0} />
                  <span>{text}</span>
                </label>
              ))}
            </fieldset>
          ),
        },
        {
          state: 'focus',
          show: () => (
            <fieldset class="segments">
              <legend>{words.label}</legend>
              <label class="segment">
                <input type="radio" name="s" class="is-focus" />
                <span>{words.do}</span>
              </label>
            </fieldset>
          ),
        },
      ],
    },
    {
      name: 'Lantern',
      states: [
        { state: 'small', show: () => <Lantern /> },
        { state: 'large', show: () => <Lantern large /> },
      ],
    },
    { name: 'LanguageSwitch', states: [{ state: 'default', show: () => <LanguageSwitch /> }] },
    {
      name: 'Icon',
      states: [
        {
          state: 'many',
          show: () => (
            <p>
              {icons.map((name) => (
                <span
                  key={name}
                  style={{ display: 'inline-flex', gap: '.4em', margin: '0 1em 0 0' }}
                >
                  <Icon name={name} /> {name}
                </span>
              ))}
            </p>
          ),
        },
      ],
    },
  ],
});
