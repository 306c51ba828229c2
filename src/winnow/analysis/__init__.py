"""What came of it all: every statistic and every verdict. Tables in, tables out; pictures and metrics show them."""
