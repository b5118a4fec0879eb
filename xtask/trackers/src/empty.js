// What every page pays that has a script at all.
