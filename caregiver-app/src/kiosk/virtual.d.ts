declare module 'virtual:kiosk-texts' {
  export const sv: Record<string, string>;
  export const en: Record<string, string>;
}
