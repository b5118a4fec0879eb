// Made by wasm-bindgen from `src/browser.rs`; `imports` and `begin` by the build.
declare module "footfall-glue" {
  export const imports: WebAssembly.Imports;
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
  export function begin(): void;
  export function start(document: Document, granted: boolean): string;
  export function grant(): void;
  export function stop(): void;
  export function call(name: string, time: number, text: string, properties: string): void;
  export function clicked(event: MouseEvent): void;
  export function moved(replaced: boolean): void;
  export function shown(): void;
  export function left(): void;
  export function snapshot(): string;
  export function flush(): void;
  export function send(): boolean;
  export function answered(status: number, askedMs: number, random: number, rejected: number): void;
  export function refresh(): void;
  export function unsent(room: number, forGood: boolean): string;
  export function adopt(text: string): void;
  export function forget(): void;
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
