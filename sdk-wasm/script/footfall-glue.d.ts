// Made by wasm-bindgen from `src/browser.rs`, and `imports` by the build.
declare module "footfall-glue" {
  export const imports: WebAssembly.Imports;
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
  export function start(granted: boolean): void;
  export function grant(): void;
  export function stop(): void;
  export function track(time: number, name: string, properties: string): void;
  export function page(time: number, properties: string): void;
  export function identify(time: number, user: string, traits: string): void;
  export function reset(): void;
  export function clicked(event: MouseEvent): void;
  export function moved(replaced: boolean): void;
  export function shown(): void;
  export function left(): void;
  export function returned(): void;
  export function flush(): boolean;
  export function answered(status: number, askedMs: number, random: number): boolean;
  export function status(): string;
}

// The same module's bytes, in base64.
declare module "footfall-wasm" {
  const base64: string;
  export default base64;
}
