module github.com/surehook/surehook

go 1.26.0
