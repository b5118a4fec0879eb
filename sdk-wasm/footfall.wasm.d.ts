/** The file's address, by a bundler's rule for files, or by `?url`. */
declare const address: string;
export default address;
