package config

import "strings"

// nearestKey is the key that a person who wrote name most likely meant: the
// same word in another section, or one that is at most a third of its letters
// away. "" where nothing is near.
func nearestKey(name string) string {
	best, least := "", len(name)/3+1
	for _, k := range Keys() {
		if LastWord(k.Name) == LastWord(name) {
			return k.Name
		}
		if d := distance(strings.ReplaceAll(name, "-", "_"), k.Name); d < least {
			best, least = k.Name, d
		}
	}
	return best
}

func LastWord(name string) string {
	return name[strings.LastIndexByte(name, '.')+1:]
}

// distance is Levenshtein's: how many letters must be put in, taken out or
// changed to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}
