declare module 'virtual:relatives-texts/*' {
  const texts: Record<string, string>;
  export default texts;
}

declare module 'virtual:relatives-pages/*' {
  const texts: Record<string, string>;
  export default texts;
}
