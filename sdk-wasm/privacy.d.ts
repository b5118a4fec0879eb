/** Defines `<footfall-privacy>`, which shows the visitor's choice and changes it. */
export function register(): void;
