// Made by wasm-bindgen from `src/browser.rs`; `imports` and `begin` by the build.
declare module "footfall-glue" {
  export const imports: WebAssembly.Imports;
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
  export function begin(): void;
  export function start(document: Document, granted: boolean): void;
  export function grant(): void;
  export function stop(): void;
  export function call(name: string, time: number, text: string, properties: string): void;
  export function clicked(event: MouseEvent): void;
  export function moved(replaced: boolean): void;
  export function shown(): void;
  export function left(): void;
  export function returned(): void;
  export function flush(): boolean;
  export function answered(status: number, askedMs: number, random: number): boolean;
  export function status(): void;
}

// The same module as JavaScript.
declare module "footfall-twin" {
  export function instantiate(imports: WebAssembly.Imports): WebAssembly.Exports;
}

// The same module's bytes, in base64.
declare module "footfall-wasm" {
  const base64: string;
  export default base64;
}
