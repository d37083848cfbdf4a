declare module 'virtual:relatives-texts/*' {
  const texts: Record<string, string>;
  export default texts;
}
