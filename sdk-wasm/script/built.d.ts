// The core as JavaScript, made by the build.
declare module "footfall-twin" {
  export function instantiate(imports: WebAssembly.Imports): WebAssembly.Exports;
}

// The core's bytes, in base64.
declare module "footfall-wasm" {
  const base64: string;
  export default base64;
}
