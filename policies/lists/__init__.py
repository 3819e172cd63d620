"""Lists that are data: domains, file shares, words, messengers' names, cameras."""
