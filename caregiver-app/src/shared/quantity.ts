import { locale, t } from './i18n';

const kindUnits: Record<string, string> = {
  temperature: 'Cel',
  body_temperature: 'Cel',
  humidity: '%RH',
  illuminance: 'lx',
  power: 'W',
  energy: 'Wh',
  water_volume: 'l',
  blood_pressure_systolic: 'mm[Hg]',
  blood_pressure_diastolic: 'mm[Hg]',
  pulse: 'beat/min',
  spo2: '%',
  weight: 'kg',
  glucose: 'mmol/l',
  battery: '%EL',
};

/** The unit (a SenML name) in which the kind is measured; "" when unknown. */
export const unitOf = (kind: string): string => kindUnits[kind] ?? '';

const intlUnits: Record<string, string> = {
  Cel: 'celsius',
  '%RH': 'percent',
  '%EL': 'percent',
  '%': 'percent',
  l: 'liter',
  kg: 'kilogram',
};

const plainUnits: Record<string, string> = { 'mm[Hg]': 'mmHg' };

/** A number with its unit, as the language writes it: "21,4 °C". The unit is a SenML name. */
export function quantity(v: number, unit: string): string {
  if (unit === 'Wh' && Math.abs(v) >= 1000) return quantity(v / 1000, 'kWh');
  const digits = { maximumFractionDigits: Math.abs(v) >= 100 ? 0 : 1 };
  const intl = intlUnits[unit];
  if (intl) {
    const text = new Intl.NumberFormat(locale(), { style: 'unit', unit: intl, ...digits }).format(
      v,
    );
    return text.replace(/ /g, '\u00a0'); // a number and its unit stay on one line
  }
  const number = new Intl.NumberFormat(locale(), digits).format(v);
  const name = unit === 'beat/min' ? t('unit.beats') : (plainUnits[unit] ?? unit);
  return name ? `${number}\u00a0${name}` : number;
}
