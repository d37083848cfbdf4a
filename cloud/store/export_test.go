package store

// SelectToldHomes is what ToldHomes asks the database.
const SelectToldHomes = selectToldHomes
